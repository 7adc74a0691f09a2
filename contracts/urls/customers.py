"""Addresses of customers, their licences and their people: /c/customers/…"""

from django.urls import path

from contracts.views import customers, licences, members

urlpatterns = [
    path("customers/", customers.listed, name="customers"),
    path("customers/export.csv", customers.export, name="customers_csv"),
    path("customers/new/", customers.new, name="new_customer"),
    path("customers/<int:pk>/", customers.customer, name="customer"),
    path("customers/<int:pk>/edit/", customers.edit, name="edit_customer"),
    path("customers/<int:pk>/licences/new/", licences.new, name="new_licence"),
    path("customers/<int:pk>/licences/price/", licences.price, name="licence_price"),
    path("customers/<int:pk>/licences/releases/", licences.releases, name="licence_releases"),
    path("customers/<int:pk>/licences/<int:licence>/", licences.edit, name="edit_licence"),
    path("customers/<int:pk>/licences/<int:licence>/release/", licences.release, name="licence_release"),
    path("customers/<int:pk>/people/new/", members.new, name="new_person"),
    path("customers/<int:pk>/people/<int:user>/", members.edit, name="edit_person"),
    path("customers/<int:pk>/people/<int:user>/leaving/", members.leaving, name="person_leaving"),
    path("customers/<int:pk>/people/<int:user>/contact/", members.first_contact, name="first_contact"),
]
