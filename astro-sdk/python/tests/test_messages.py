"""Messages, enums and settings: what needs no server."""

from __future__ import annotations

import ast
import unittest
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pool, json_format, timestamp_pb2

import astro_sdk
from astro_sdk import ConfigError, Item, ItemState, SteamAsset, SteamId, TradeUrl, UpdateItemRequest
from astro_sdk.gen import methods
from astro_sdk.settings import Settings, settings


def as_json(message: Any) -> Any:
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


class Messages(unittest.TestCase):
    def test_googles_messages_behave_as_such_in_a_pool_of_their_own(self) -> None:
        values = {"a": [None, True, 1.5, "text", {"b": None}]}
        item = Item(id="a", labels={"k": "v"}, asset=SteamAsset(asset_id=2**64 - 1))
        item.custom_metadata.update(values)
        item.create_time.FromDatetime(datetime(2026, 1, 2))
        expected = {
            "id": "a",
            "labels": {"k": "v"},
            "asset": {"asset_id": "18446744073709551615"},
            "custom_metadata": values,
            "create_time": "2026-01-02T00:00:00Z",
        }
        self.assertEqual(as_json(item), expected)
        self.assertEqual(json_format.ParseDict(expected, Item()), item)

    def test_no_message_is_in_the_pool_that_all_packages_share(self) -> None:
        with self.assertRaises(KeyError):
            descriptor_pool.Default().FindMessageTypeByName(Item.DESCRIPTOR.full_name)

    def test_arguments_may_be_in_pythons_own_form(self) -> None:
        request = methods.UPDATE_ITEM.build(
            {"item": Item(id="a"), "update_mask": ["labels", "market_value"], "request_id": ""}
        )
        expected = {"item": {"id": "a"}, "update_mask": "labels,marketValue"}
        self.assertEqual(as_json(request), expected)
        day = datetime(2027, 1, 1, tzinfo=timezone.utc)
        key = methods.CREATE_API_KEY.build({"expire_time": day})
        self.assertEqual(as_json(key), {"expire_time": "2027-01-01T00:00:00Z"})
        theirs = timestamp_pb2.Timestamp(seconds=1798761600)
        self.assertEqual(methods.CREATE_API_KEY.build({"expire_time": theirs}), key)
        context = methods.CREATE_ASSIGNMENT.build({"external_context": {"round": 1.5}})
        self.assertEqual(as_json(context), {"external_context": {"round": 1.5}})

    def test_an_argument_that_is_none_is_not_set(self) -> None:
        request = methods.WATCH_EVENTS.build({"from_earliest": None, "resume_token": None})
        self.assertIsNone(request.WhichOneof("start"))
        request = methods.WATCH_EVENTS.build({"from_earliest": False})
        self.assertEqual(request.WhichOneof("start"), "from_earliest")

    def test_an_unknown_state_keeps_its_number(self) -> None:
        item = Item.FromString(Item(state=99).SerializeToString())
        self.assertEqual(item.state, 99)
        state = ItemState(item.state)
        self.assertEqual((state, state.name, repr(state)), (99, "99", "<ItemState.99: 99>"))
        self.assertEqual(ItemState(2), ItemState.AVAILABLE)

    def test_an_unknown_field_survives(self) -> None:
        unknown = b"\xfa\xf0\x04\x05hello"
        item = Item.FromString(unknown)
        item.labels["k"] = "v"
        request = UpdateItemRequest(item=item)
        self.assertIn(unknown, request.SerializeToString())


class Made(unittest.TestCase):
    def test_a_port_that_is_left_out_is_the_schemes(self) -> None:
        for endpoint, target in {
            "http://127.0.0.1": "ipv4:127.0.0.1:80",
            "https://astro.example": "dns:///astro.example:443",
            "http://[::1]:50051/": "ipv6:[::1]:50051",
        }.items():
            self.assertEqual(settings(endpoint, "key").target, target)

    def test_a_damaged_certificate_is_refused(self) -> None:
        block = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        for pem in ("", "nonsense", block, block.replace("AAAA", "A?A")):
            with self.assertRaises(ConfigError) as caught:
                settings("https://astro.example", "key", ca_certificate=pem)
            self.assertEqual(caught.exception.problem, "certificate_invalid")

    def test_no_text_form_has_the_key(self) -> None:
        made = settings("http://127.0.0.1", "astro_sk_secret")
        self.assertIsInstance(made, Settings)
        self.assertNotIn("secret", f"{made} {made!r}")

    def test_steam_ids_are_compared_and_counted_like_numbers(self) -> None:
        first, second = SteamId.parse("[U:1:1]"), SteamId.parse("U:1:2")
        self.assertLess(first, second)
        self.assertEqual(int(first), 76561197960265729)
        url = TradeUrl.parse("https://steamcommunity.com/tradeoffer/new/?partner=1&token=AbC-_123")
        self.assertEqual(url.partner, first)
        self.assertNotIn("AbC", repr(url))


class Sources(unittest.TestCase):
    def test_every_file_is_of_python_3_9(self) -> None:
        files = [path for path in Path(astro_sdk.__file__).parent.rglob("*.py")]
        self.assertGreater(len(files), 10)
        for path in files:
            ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 9))


if __name__ == "__main__":
    unittest.main()
