"""Import of customers, licences and contacts from spreadsheets: read, check (a dry run), then a person decides.

`reading` turns a file into rows under the numbers that they have in the spreadsheet; `columns` knows the headings;
`values` reads cells; `customers`, `licences` and `contacts` give each row its verdict and hold what it would write;
`runs` keeps a dry run, carries it out or drops it; `exporting` writes the bad rows and the examples. No HTTP here.

What import may and may not do (domain §1.7, §2):
- An empty cell or a column that is not there leaves what is recorded: import never erases.
- Natural keys: a company by its name, whatever its case and spaces; a licence by company, product, deployment and
  first day; a person by the e-mail address. Rows of a file that contradict each other are all bad.
- A licence that a signed contract covers keeps product, deployment, cost and first day: its price was signed.
- An installed release is known and official, or left empty (§1.7.4): a warning, because `signing.activate` asks for it.
- A responsible contact is named where the company has none at that moment. A change of the contact is agreed by both
  sides on its own page, so a second one is refused here.
"""
