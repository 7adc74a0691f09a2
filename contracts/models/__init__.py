"""What is sold and to whom: the catalogue (domain §1), customers, licences and contracts (domain §2)."""

from contracts.models.catalogue import (
    Channel,
    Deployment,
    Package,
    PackageTerms,
    Product,
    PromiseKind,
    Release,
    Service,
    TermsPrice,
    TermsTarget,
    TicketKind,
    Topic,
)
from contracts.models.contract import Contract, ContractClause, ContractLine, LastDay
from contracts.models.customers import ContactChange, Customer, CustomerMember, Licence, ResponsibleContact
from contracts.models.edition import CatalogueEdition
from contracts.models.imports import ImportRow, ImportRun
from contracts.models.life import ContractDocument, ContractEvent, CoverageGap, RenewalOffer
from contracts.models.publications import ReleaseFile, ReleaseNotice, ReleasePublication, ReleaseReminder

__all__ = [
    "CatalogueEdition",
    "Channel",
    "ContactChange",
    "Contract",
    "ContractClause",
    "ContractDocument",
    "ContractEvent",
    "ContractLine",
    "CoverageGap",
    "Customer",
    "CustomerMember",
    "Deployment",
    "ImportRow",
    "ImportRun",
    "LastDay",
    "Licence",
    "Package",
    "PackageTerms",
    "Product",
    "PromiseKind",
    "Release",
    "ReleaseFile",
    "ReleaseNotice",
    "ReleasePublication",
    "ReleaseReminder",
    "RenewalOffer",
    "ResponsibleContact",
    "Service",
    "TermsPrice",
    "TermsTarget",
    "TicketKind",
    "Topic",
]
