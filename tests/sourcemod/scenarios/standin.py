"""A stand-in for Astro with an endless pool, for a week of giveaways in two minutes.

It is asked without sockets (`answer` is the host's shortcut), and the network is a switch (`here`). Its answers have the size and members of the real ones (see `item` and `assignment`), and its books are
strict: a key used for another request, an external id used twice, an item given twice are refused as
the real server refuses them. Everything else is proved against the real server.
"""

import json
import uuid
from urllib.parse import urlsplit

AWAY = "0"
DAY = "2026-11-30T08:55:37.708909Z"


class StandIn:
    """The server and its books."""

    def __init__(self):
        self.assignments, self.reservations, self.answers, self.events = {}, {}, {}, []
        self.external, self.given, self.requests, self.repeated = {}, set(), 0, 0
        self.items, self.here, self.lost = 0, True, 0

    def answer(self, flight):
        """Answers a request as ripext sees it; every fortieth answer to a change is lost on its way."""
        if not self.here:
            return 0, {}, b"", "Failed to connect to 127.0.0.1 port 8787: Connection refused"
        parts = urlsplit(flight.url)
        path = parts.path + ("?" + parts.query if parts.query else "")
        if flight.verb == "GET":
            code, body = self.get(path)
        else:
            code, body = self.post(path, flight.headers.get("Idempotency-Key", ""), json.loads(flight.body))
            if self.requests % 40 == 0:
                self.lost += 1
                return 0, {}, b"", "Empty reply from server"
        return code, {"content-type": "application/json"}, json.dumps(body).encode(), ""

    def item(self, state="AVAILABLE"):
        self.items += 1
        return {
            "id": str(uuid.uuid4()), "orgId": str(uuid.uuid4()), "botId": str(uuid.uuid4()), "state": "ITEM_STATE_" + state,
            "asset": {"appId": 440, "contextId": "2", "assetId": str(11000000000 + self.items), "classId": "5039", "instanceId": "0", "amount": 1},
            "marketHashName": f"Thing {self.items}", "itemName": f"Thing {self.items}", "itemType": "Level 1 Thing", "itemRarity": "",
            "steamMetadata": {"background_color": "", "icon_url": "x" * 64, "name_color": "", "tags": []}, "labels": {}, "customMetadata": {},
            "receiveTime": DAY, "receivedFromUserId": AWAY, "receivedVia": "sync", "receivedTradeOfferId": "", "assignedToUserId": AWAY,
            "deliveryTradeOfferId": "", "reservationId": "", "assignmentId": "", "etag": "v96", "createTime": DAY, "updateTime": DAY,
        }

    # What the routes do; each answers (code, body).
    def get(self, path):
        if path.startswith("/api/v1/items"):
            return 200, {"items": [self.item() for _ in range(8)], "nextPageToken": ""}
        if path.startswith("/api/v1/events"):
            return 200, self._events(path)
        if path.startswith("/api/v1/assignments"):
            return 200, {"assignments": [], "nextPageToken": ""}
        return error(404, "METHOD_UNKNOWN")

    def _events(self, path):
        at = len(self.events)
        if "resumeToken=t" in path:
            at = int(path.split("resumeToken=t")[1].split("&")[0])
        fresh = self.events[at:at + 10]
        return {"events": fresh, "resumeToken": f"t{at + len(fresh)}"}

    def post(self, path, key, body):
        self.requests += 1
        text = json.dumps([path, body], sort_keys=True)
        if key in self.answers:
            self.repeated += 1
            known, answer = self.answers[key]
            return answer if known == text else error(400, "REQUEST_ID_REUSED")
        answer = self._do(path, body)
        if answer[0] == 200 and key:
            self.answers[key] = (text, answer)
        return answer

    def _do(self, path, body):
        if path == "/api/v1/items:reserve":
            return self._reserve(body)
        if path.endswith(":release"):
            held = self.reservations.pop(path.split("/")[-1].split(":")[0], None)
            return (200, {"reservation": held["reservation"]}) if held else error(404, "RESERVATION_NOT_FOUND")
        if path == "/api/v1/assignments":
            return self._assign(body)
        return error(404, "METHOD_UNKNOWN")

    def _reserve(self, body):
        ids = body.get("itemIds") or []
        found = [dict(self.item("RESERVED"), **({"id": one} if one else {})) for one in ids or [""] * body.get("count", 1)]
        id = str(uuid.uuid4())
        reservation = {"id": id, "orgId": "", "itemIds": [item["id"] for item in found], "expireTime": DAY, "createTime": DAY}
        answer = {"reservation": reservation, "items": found}
        self.reservations[id] = answer
        return 200, answer

    def _assign(self, body):
        outside = (body.get("externalSystem"), body.get("externalId"))
        if outside in self.external:
            return error(409, "EXTERNAL_ID_EXISTS", {"assignment_id": self.external[outside]})
        items = body.get("itemIds") or []
        if body.get("reservationId"):
            held = self.reservations.pop(body["reservationId"], None)
            if held is None:
                return error(404, "RESERVATION_NOT_FOUND")
            items = held["reservation"]["itemIds"]
        if self.given & set(items):
            return error(409, "ITEM_NOT_AVAILABLE")
        self.given |= set(items)
        made = self._assignment(body, items)
        self.assignments[made["id"]] = made
        self.external[outside] = made["id"]
        for number, kind in enumerate(("created", "offered", "delivered")):
            self._event(made, kind, ("QUEUED", "OFFERED", "DELIVERED")[number])
        return 200, {"assignment": made}

    def _assignment(self, body, items):
        lines = [{"itemId": one, "itemNameAtAssignment": "Thing", "deliveryStatus": "pending", "deliveredAssetId": "0", "createTime": DAY, "botId": ""} for one in items]
        return {
            "id": str(uuid.uuid4()), "orgId": "", "userId": body["userId"], "assignmentType": body.get("assignmentType", ""),
            "assignmentReason": body.get("assignmentReason", ""), "externalSystem": body.get("externalSystem", ""), "externalId": body.get("externalId", ""),
            "externalContext": body.get("externalContext", {}), "assignmentPriority": 0, "state": "ASSIGNMENT_STATE_QUEUED",
            "blockedReason": "BLOCKED_REASON_UNSPECIFIED", "statusMessage": "", "items": lines, "totalItemsCount": len(items), "deliveryAttempts": 0,
            "deliveryTradeOfferId": "", "deliveryErrorMessage": "", "botId": "", "assignTime": DAY, "expireTime": DAY, "etag": "v1", "createTime": DAY,
            "updateTime": DAY, "runnerUpUserIds": body.get("runnerUpUserIds", []), "predecessorId": "", "successorId": "",
        }

    def _event(self, made, kind, state):
        self.events.append({
            "id": str(uuid.uuid4()), "orgId": "", "eventType": f"assignment.{kind}", "eventCategory": "assignment", "eventDescription": kind,
            "userId": made["userId"], "itemId": "", "assignmentId": made["id"], "botId": "", "externalSystem": made["externalSystem"],
            "eventData": {"external_id": made["externalId"], "state_before": "ASSIGNMENT_STATE_QUEUED", "state_after": "ASSIGNMENT_STATE_" + state},
            "severity": "EVENT_SEVERITY_INFO", "source": "system", "createTime": DAY, "resumeToken": f"t{len(self.events) + 1}",
        })


def error(code, reason, metadata=None):
    status = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 409: "ALREADY_EXISTS"}[code]
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "astro.dev", "metadata": metadata or {}}]
    return code, {"code": code, "status": status, "message": reason.lower(), "reason": reason, "details": details}
