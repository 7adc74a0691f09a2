"""Articles for customers, partners and the vendor's people (domain §6). Knows accounts and contracts, no tickets."""
