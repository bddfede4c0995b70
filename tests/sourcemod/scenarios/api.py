"""The truth, by the REST API: what Astro's books say, whatever the plugins think."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request


class Api:
    """A client of an organisation, or the platform's administrator."""

    def __init__(self, url, key):
        self.url, self.key = url, key

    def call(self, verb, path, body=None, **query):
        """One call; raises `Refused` for an error of the contract."""
        pairs = [(name, str(one)) for name, value in query.items()
                 for one in (value if isinstance(value, (list, tuple)) else [value])]
        url = self.url + "/api/v1/" + path + ("?" + urllib.parse.urlencode(pairs) if pairs else "")
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(url, data=data, method=verb)
        request.add_header("Authorization", f"Bearer {self.key}")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            raise Refused(error.code, json.loads(error.read() or b"{}")) from None

    def pages(self, path, field, **query):
        """All entries of a list."""
        found, token = [], ""
        while True:
            page = self.call("GET", path, pageSize=100, **({"pageToken": token} if token else {}), **query)
            found += page.get(field, [])
            token = page.get("nextPageToken", "")
            if not token:
                return found

    def assignments(self):
        """Every assignment, oldest first."""
        return self.pages("assignments", "assignments")[::-1]

    def assignment(self, id):
        return self.call("GET", f"assignments/{id}")["assignment"]

    def items(self, *states):
        """Items, those in these states only if there are any: "AVAILABLE", …"""
        wanted = {f"ITEM_STATE_{state}" for state in states}
        return [item for item in self.pages("items", "items") if not wanted or item["state"] in wanted]

    def user(self, steam_id):
        return self.call("GET", f"users/{steam_id}")["user"]

    def events(self, kind=""):
        """The log from its beginning."""
        found, token = [], ""
        while True:
            page = self.call("GET", "events", pageSize=100, **({"resumeToken": token} if token else {}))
            found += page.get("events", [])
            token = page.get("nextResumeToken") or (page["events"][-1].get("resumeToken", "") if page.get("events") else "")
            if not page.get("events"):
                return [event for event in found if kind in event.get("eventType", "")]

    def give(self, steam_id, items, **more):
        body = {"userId": str(steam_id), "itemIds": items, "assignmentType": "manual", **more}
        return self.call("POST", "assignments", body)["assignment"]

    def cancel(self, id):
        return self.call("POST", f"assignments/{id}:cancel", {"reason": "test"})["assignment"]


class Refused(Exception):
    """An error of the contract."""

    def __init__(self, code, body):
        super().__init__(f"{code} {body}")
        self.code, self.body = code, body


def until(look, seconds=60.0, rest=0.1):
    """Waits, in real time, for what a real bot does; answers what was found, or fails."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"it did not come in {seconds} s: {look}")
        time.sleep(rest)
