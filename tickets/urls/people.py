"""Who speaks for a customer, and what waits for that person: the customer's pages, and the contract administrator's.

/contract/people/ and /t/held/ are the customer's; /c/changes/ and /c/held/ the contract administrator's.
"""

from django.urls import path

from tickets.views import held, people

app_name = "people"
urlpatterns = [
    path("contract/people/", people.people, name="people"),
    path("contract/people/changes/", people.ask, name="ask"),
    path("contract/people/changes/<int:pk>/agreement/", people.agreement, name="agreement"),
    path("contract/people/changes/<int:pk>/refusal/", people.refusal, name="refusal"),
    path("contract/people/changes/<int:pk>/withdrawal/", people.withdrawal, name="withdrawal"),
    path("c/changes/", people.changes, name="changes"),
    path("c/changes/new/", people.choose_customer, name="choose_customer"),
    path("c/changes/new/<int:pk>/", people.new_change, name="new_change"),
    path("c/changes/<int:pk>/agreement/", people.vendor_agreement, name="vendor_agreement"),
    path("c/changes/<int:pk>/refusal/", people.vendor_refusal, name="vendor_refusal"),
    path("c/changes/<int:pk>/withdrawal/", people.vendor_withdrawal, name="vendor_withdrawal"),
    path("t/held/<int:pk>/", held.held, name="held"),
    path("t/held/<int:pk>/confirmation/", held.confirmation, name="held_confirmation"),
    path("t/held/<int:pk>/refusal/", held.refusal, name="held_refusal"),
    path("t/held/<int:pk>/files/<int:file>/", held.file, name="held_file"),
    path("c/held/", held.held_list, name="held_list"),
    path("c/held/<int:pk>/settlement/", held.settlement, name="held_settlement"),
]
