"""django-helpdesk's pages by the clock of `page_cost.py`; started by `desk.py --peer`, with the peer's own Python.

`desk_peer.py FOLDER SIZE`: FOLDER is the peers' folder of the specification (its project, its data set), the database
is DATABASE_URL, filled here. Settings are the peer's own, DEBUG off, mail thrown away.
"""

import json
import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

from page_cost import cost


def main() -> None:
    folder, size = Path(sys.argv[1]).resolve(), int(sys.argv[2])
    sys.path.insert(0, str(folder / "peer"))
    parts = urlsplit(os.environ["DATABASE_URL"])
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    os.environ.update(
        DJANGO_SETTINGS_MODULE="peerproj.settings",
        HD_DB=parts.path.lstrip("/"),
        PGSOCK=asked.get("host", parts.hostname or ""),
        PGPORT_PB=str(asked.get("port", parts.port or 5432)),
    )
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.DATABASES["default"] |= {
        "USER": parts.username or asked.get("user", ""),
        "PASSWORD": parts.password or "",
        "OPTIONS": {"options": "-c max_parallel_workers_per_gather=0"},
    }
    django.setup()
    with TemporaryDirectory() as place:
        call_command("migrate", verbosity=0)
        # The data set also writes letters, which no page here reads: one is enough.
        words = [sys.executable, str(folder / "gen_dataset.py"), str(size), place, "--emails", "1"]
        subprocess.run(words, check=True, stdout=sys.stderr)
        call_command("load_neutral", place, stdout=sys.stderr)
    print(json.dumps(pages(size)))


def pages(size: int) -> dict[str, dict]:
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client()
    client.force_login(get_user_model().objects.get(username="agent00"))
    everybody = Client()

    def get(*addresses: str):
        def ask(turn: int):
            for address in addresses:
                answer = client.get(address.format(turn=1 + turn * 37 % size))
                assert answer.status_code == 200, (address, answer.status_code)
                answer.getvalue() if answer.streaming else answer.content

        return ask

    def rows(**query) -> str:
        """The address of 25 rows: the page is empty, its script asks for them."""
        about = {"filtering": {}, "sorting": "created", "search_string": "", "sortreverse": False} | query
        coded = b64encode(json.dumps(about).encode()).decode()
        return f"/datatables_ticket_list/{coded}?draw=1&start=0&length=25"

    def create(turn: int):
        said = {
            "queue": "1", "title": f"Form bench {turn}", "body": "The login page does not open after the upgrade.",
            "submitter_email": "contact0001@customer001.example", "priority": "3", "due_date": "",
        }  # fmt: skip
        assert everybody.post("/tickets/submit/", said).status_code == 302

    asked = {
        "queue": get("/tickets/", rows(filtering={"status__in": [1, 2]})),
        "ticket": get("/tickets/{turn}/"),
        "search_rare": get(rows(filtering_null={}, search_string="heisenbug", sortreverse=None)),
        "search_common": get(rows(filtering_null={}, search_string="timeout", sortreverse=None)),
        "search_none": get(rows(filtering_null={}, search_string="qwertyuiop", sortreverse=None)),
        "board": get("/dashboard/"),
    }
    found = {name: cost(ask) for name, ask in asked.items()}
    found["create"] = cost(create)
    found["create"]["per_second"] = round(1000 / found["create"]["p50_ms"])
    return found


if __name__ == "__main__":
    main()
