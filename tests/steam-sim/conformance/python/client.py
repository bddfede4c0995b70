"""Plays PyPI's aiosteampy, as it is published, for the tests.

Reads one command per line from the input, as JSON with the command's name in `do`, and writes one
answer per line to the output, `{"ok": …}` or `{"error": …}`. STEAM_SIM holds the proxy and the
account.
"""

import asyncio
import json
import os
import sys

from aiosteampy.client import App, SteamClient
from aiosteampy.exceptions import EResultError, MobileConfirmationRequired, Unauthenticated
from aiosteampy.guard import SteamGuard
from aiosteampy.id import SteamID
from aiosteampy.session import Platform, SteamSession

SETUP = json.loads(os.environ["STEAM_SIM"])
ACCOUNT = SETUP["account"]
CONTEXT = App(440, "Team Fortress 2").with_context(2)


class Player:
    """One account's client, and the commands it understands: the methods without `_`."""

    def __init__(self):
        self._session = None
        self._client = None
        self._guard = None

    async def login(self, platform, password=ACCOUNT["password"]):
        await self._close()
        kind = {"browser": Platform.WEB, "phone": Platform.MOBILE}[platform]
        self._session = SteamSession(platform=kind, proxy=SETUP["proxy"])
        secrets = {name: ACCOUNT[name] for name in ("shared_secret", "identity_secret")}
        code = secrets["shared_secret"]
        await self._session.login_with_credentials(ACCOUNT["name"], password, shared_secret=code)
        await self._session.obtain_cookies()
        # Without the secrets: so it leaves confirmations to us, and says where one is needed.
        self._client = SteamClient(self._session)
        if self._session.is_mobile:
            self._guard = SteamGuard(self._session, **secrets, device_id=ACCOUNT["device_id"])
            await self._guard.signer.sync_time()
        return {"steam_id": str(self._session.steam_id), "account": self._session.account_name}

    async def renew(self):
        """A new access token of the refresh token."""
        await self._session.refresh_access_token()
        await self._session.obtain_cookies()

    async def inventory(self, of=ACCOUNT["steam_id"]):
        pages = self._client.inventory.user_inventory(SteamID(of), CONTEXT)
        items = [item async for page in pages for item in page]
        return [
            {"asset": str(item.asset_id), "name": item.description.market_hash_name}
            for item in items
        ]

    async def send(self, to, token, give, message):
        assets = [
            {"appid": 440, "contextid": "2", "amount": "1", "assetid": asset} for asset in give
        ]
        try:
            offer = await self._client.trade.send(SteamID(to), assets, (), message, token=token)
        except MobileConfirmationRequired as needed:
            return {"offer": str(needed.conf_key), "pending": True}
        return {"offer": str(offer), "pending": False}

    async def confirm(self, offer):
        await self._guard.confirmations.confirm_trade_offer(int(offer))

    def _described(self, offer):
        ours = offer.creator == self._session.steam_id
        sides = (offer.to_partner, offer.to_creator) if ours else (offer.to_creator, offer.to_partner)
        give, receive = ([str(item.asset_id) for item in side] for side in sides)
        return {
            "offer": str(offer.trade_offer_id),
            "state": int(offer.status),
            "message": offer.message or "",
            "partner": str(offer.partner if ours else offer.creator),
            "ours": ours,
            "give": give,
            "receive": receive,
        }

    async def offer(self, offer):
        return self._described(await self._client.trade.get(int(offer)))

    async def offers(self):
        sent, received = [], []
        async for page in self._client.trade.offers(active_only=False):
            sent += map(self._described, page.sent)
            received += map(self._described, page.received)
        return {"sent": sent, "received": received}

    async def accept(self, offer):
        try:
            await self._client.trade.accept(int(offer))
        except MobileConfirmationRequired:
            return {"pending": True}
        return {"pending": False}

    async def decline(self, offer):
        await self._client.trade.decline(int(offer))

    async def cancel(self, offer):
        await self._client.trade.cancel(int(offer))

    async def moved(self, offer):
        """What an accepted offer moved, by new asset ids."""
        trade_id = (await self._client.trade.get(int(offer))).trade_id
        trade = await self._client.trade.get_receipt(trade_id)
        received, given = (
            [str(item.new_asset_id) for item in side]
            for side in (trade.to_partner_a, trade.to_partner_b)
        )
        return {"status": int(trade.status), "received": received, "given": given}

    async def acknowledge(self):
        await self._client.trade.acknowledge_rules()

    async def _close(self):
        if self._session is not None:
            await self._session.transport.close()


def described(error):
    """The words of an error, its cause's and, where Steam answered with a page, the page's."""
    content = getattr(error, "content", None)
    page = content.decode() if isinstance(content, bytes) else ""
    return {
        "message": f"{type(error).__name__} {error!r} {error.__cause__!r} {error} {page}".strip(),
        "eresult": int(error.result) if isinstance(error, EResultError) else None,
        "session_over": isinstance(error, Unauthenticated),
    }


async def main():
    player = Player()
    while line := await asyncio.to_thread(sys.stdin.readline):
        command = json.loads(line)
        act = getattr(player, command.pop("do"))
        try:
            answer = {"ok": await act(**command)}
        except Exception as error:  # whatever the library raises is what the tests look at
            answer = {"error": described(error)}
        print(json.dumps(answer), flush=True)
    await player._close()


asyncio.run(main())
