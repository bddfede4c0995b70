"""Identifiers of people on Steam, in the forms that people type and copy."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# What every individual account in the public universe adds to its account id.
_INDIVIDUAL_BASE = 76_561_197_960_265_728
_ACCOUNT_MAX = 0xFFFF_FFFF
_SITE = re.compile(r"(?:https?://)?(?:www\.)?steamcommunity\.com/", re.IGNORECASE)
_TRADE_URL = re.compile(r"tradeoffer/new/?\?([^#]*)(?:#.*)?", re.DOTALL)
# Unicode's White_Space. By itself Python takes separators of data for such, too.
_WHITE_SPACE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
# Larger numbers are no ids of any kind.
_UINT64_MAX = 0xFFFF_FFFF_FFFF_FFFF


class SteamIdError(ValueError):
    """A text or number is not the id of a person on Steam.

    ``problem`` is ``not_an_id`` (it has none of the known forms) or ``not_a_person`` (it is the id
    of something else: a group, a game server, nobody).
    """

    def __init__(self, problem: str) -> None:
        super().__init__(_ID_PROBLEMS[problem])
        self.problem = problem


class TradeUrlError(ValueError):
    """A text is not a trade URL.

    ``problem`` is ``not_a_trade_url`` (it leads elsewhere), ``partner_invalid`` or
    ``token_invalid`` (that part is missing or damaged).
    """

    def __init__(self, problem: str) -> None:
        super().__init__(_URL_PROBLEMS[problem])
        self.problem = problem


@dataclass(frozen=True, order=True)
class SteamId:
    """The SteamID64 of one person's account.

    Only individual accounts of the public universe exist here: groups, game servers and the
    account 0 cannot trade. ``int(id)`` and ``str(id)`` are the SteamID64.
    """

    steam_id64: int

    def __post_init__(self) -> None:
        if not 0 < self.steam_id64 - _INDIVIDUAL_BASE <= _ACCOUNT_MAX:
            raise SteamIdError("not_a_person")

    @classmethod
    def parse(cls, text: str) -> SteamId:
        """Parses ``76561198000000000``, ``STEAM_0:1:…``, ``[U:1:…]``, ``U:1:…``, profile
        addresses (``https://steamcommunity.com/profiles/…``) and trade URLs, of which it takes the
        owner.

        Raises:
            SteamIdError: The text is none, or not a person's account.
        """
        text = text.strip(_WHITE_SPACE)
        path = _path_on_steam(text)
        if path is None:
            return cls._parse_id(text)
        query = _TRADE_URL.fullmatch(path)
        if query is not None:
            return cls.from_account_id(_number(_values(query[1]).get("partner", ""), _ACCOUNT_MAX))
        profile = re.match(r"profiles/([^/?#]*)", path)
        if profile is None:
            raise SteamIdError("not_an_id")
        return cls._parse_id(profile[1])

    @classmethod
    def from_account_id(cls, account_id: int) -> SteamId:
        """The account with this account id, the number in ``[U:1:…]`` and in trade URLs.

        Raises:
            SteamIdError: It is no account id, or 0.
        """
        return cls(_INDIVIDUAL_BASE + account_id)

    @classmethod
    def _parse_id(cls, text: str) -> SteamId:
        steam2 = re.fullmatch(r"STEAM_[01]:([01]):([0-9]+)", text)
        if steam2:
            return cls.from_account_id(_number(steam2[2], _ACCOUNT_MAX) * 2 + int(steam2[1]))
        steam3 = re.fullmatch(r"\[U:1:([0-9]+)\]|U:1:([0-9]+)", text)
        if steam3:
            return cls.from_account_id(_number(steam3[1] or steam3[2], _ACCOUNT_MAX))
        return cls(_number(text, _UINT64_MAX))

    @property
    def account_id(self) -> int:
        """The account id: 1 to 4294967295."""
        return self.steam_id64 - _INDIVIDUAL_BASE

    @property
    def steam2(self) -> str:
        """``STEAM_1:1:43351236``."""
        return f"STEAM_1:{self.account_id % 2}:{self.account_id // 2}"

    @property
    def steam3(self) -> str:
        """``[U:1:86702473]``."""
        return f"[U:1:{self.account_id}]"

    @property
    def profile_url(self) -> str:
        """``https://steamcommunity.com/profiles/76561198046968201``."""
        return f"https://steamcommunity.com/profiles/{self.steam_id64}"

    def __int__(self) -> int:
        return self.steam_id64

    __index__ = __int__

    def __str__(self) -> str:
        return str(self.steam_id64)


@dataclass(frozen=True)
class TradeUrl:
    """A trade URL: lets anybody who has it send offers to its owner. ``str(url)`` is the whole
    address, secret included; ``repr(url)`` leaves the secret out.
    """

    partner: SteamId
    token: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> TradeUrl:
        """Parses ``https://steamcommunity.com/tradeoffer/new/?partner=…&token=…``, also without its
        scheme.

        Raises:
            TradeUrlError: It leads elsewhere, or a part is missing or damaged.
        """
        found = _TRADE_URL.fullmatch(_path_on_steam(text.strip(_WHITE_SPACE)) or "")
        if found is None:
            raise TradeUrlError("not_a_trade_url")
        values = _values(found[1])
        try:
            account = _number(values.get("partner", ""), _ACCOUNT_MAX)
            partner = SteamId.from_account_id(account)
        except SteamIdError:
            raise TradeUrlError("partner_invalid") from None
        token = values.get("token", "")
        if not re.fullmatch(r"[A-Za-z0-9_-]{8}", token):
            raise TradeUrlError("token_invalid")
        return cls(partner, token)

    def __str__(self) -> str:
        account = self.partner.account_id
        return f"https://steamcommunity.com/tradeoffer/new/?partner={account}&token={self.token}"


_ID_PROBLEMS = {
    "not_an_id": "not a Steam id: write 7656119…, STEAM_0:…, [U:1:…] or "
    "https://steamcommunity.com/profiles/7656119… (an address with /id/ does not tell the number)",
    "not_a_person": "not the Steam id of a person's account",
}
_URL_PROBLEMS = {
    "not_a_trade_url": "not a trade URL: it looks like "
    "https://steamcommunity.com/tradeoffer/new/?partner=…&token=…",
    "partner_invalid": "the trade URL has no valid partner; copy it whole",
    "token_invalid": "the trade URL has no valid token; copy it whole",
}


def _number(text: str, most: int) -> int:
    """Digits only: ``int`` alone would take signs, spaces and other alphabets."""
    if not re.fullmatch(r"[0-9]+", text) or len(text.lstrip("0")) > 20 or int(text) > most:
        raise SteamIdError("not_an_id")
    return int(text)


def _path_on_steam(text: str) -> str | None:
    """What follows ``steamcommunity.com/``, with or without a scheme before it."""
    site = _SITE.match(text)
    return text[site.end() :] if site else None


def _values(query: str) -> dict[str, str]:
    """The first value with each name, as it is written."""
    values: dict[str, str] = {}
    for pair in query.split("&"):
        name, equals, value = pair.partition("=")
        if equals:
            values.setdefault(name, value)
    return values
