// Plays Steam's npm clients, as they are published, for the tests: reads one command per line from
// the input, as JSON with the command's name in `do`, and writes one answer per line to the output,
// `{"ok": …}` or `{"error": …}`. STEAM_SIM holds the proxy and the account.

import readline from 'node:readline';
import { EAuthTokenPlatformType, LoginSession } from 'steam-session';
import SteamCommunity from 'steamcommunity';
import SteamTotp from 'steam-totp';
import TradeOfferManager from 'steam-tradeoffer-manager';

const APP = 440;
const CONTEXT = '2';

const { proxy, account } = JSON.parse(process.env.STEAM_SIM);
const community = new SteamCommunity();
// steam-totp asks for Steam's time past any proxy; the simulator's is the machine's here.
community._timeOffset = 0;
const manager = new TradeOfferManager({
    community,
    dataDirectory: null,
    language: 'en',
    pollInterval: -1,
});
let session;
let sessionsOver = 0;
community.on('sessionExpired', () => { sessionsOver += 1; });

/** Calls a method which ends in a callback; gives what the callback got after the error. */
function call(object, method, ...args) {
    return new Promise((resolve, reject) => {
        object[method](...args, (error, ...results) => (error ? reject(error) : resolve(results)));
    });
}

async function login({ platform, password = account.password }) {
    const kind = { browser: 'WebBrowser', phone: 'MobileApp' }[platform];
    session = new LoginSession(EAuthTokenPlatformType[kind], { httpProxy: proxy });
    const done = new Promise((resolve, reject) => {
        session.once('authenticated', resolve);
        session.once('error', reject);
    });
    const steamGuardCode = SteamTotp.getAuthCode(account.shared_secret);
    await session.startWithCredentials({ accountName: account.name, password, steamGuardCode });
    await done;
    await takeCookies();
    return { steam_id: session.steamID.getSteamID64(), account: session.accountName };
}

async function takeCookies() {
    await call(manager, 'setCookies', await session.getWebCookies());
}

/** A new access token of the refresh token. */
async function renew() {
    await session.refreshAccessToken();
    await takeCookies();
    return null;
}

async function inventory({ of = account.steam_id }) {
    const [items] = await call(manager, 'getUserInventoryContents', of, APP, CONTEXT, false);
    return items.map((item) => ({ asset: item.assetid, name: item.market_hash_name }));
}

async function send({ to, token, give, message }) {
    const offer = manager.createOffer(to, token);
    offer.addMyItems(give.map((assetid) => ({ appid: APP, contextid: CONTEXT, assetid })));
    offer.setMessage(message);
    const [status] = await call(offer, 'send');
    return { offer: offer.id, pending: status === 'pending' };
}

async function confirm({ offer }) {
    await call(community, 'acceptConfirmationForObject', account.identity_secret, offer);
    return null;
}

function described(offer) {
    return {
        offer: offer.id,
        state: offer.state,
        message: offer.message,
        partner: offer.partner.getSteamID64(),
        ours: offer.isOurOffer,
        give: offer.itemsToGive.map((item) => item.assetid),
        receive: offer.itemsToReceive.map((item) => item.assetid),
    };
}

async function find(id) {
    const [offer] = await call(manager, 'getOffer', id);
    return offer;
}

async function offer({ offer: id }) {
    return described(await find(id));
}

async function offers() {
    const [sent, received] = await call(manager, 'getOffers', TradeOfferManager.EOfferFilter.All);
    return { sent: sent.map(described), received: received.map(described) };
}

async function accept({ offer: id }) {
    const [status] = await call(await find(id), 'accept');
    return { pending: status === 'pending' };
}

async function decline({ offer: id }) {
    await call(await find(id), 'decline');
    return null;
}

async function cancel({ offer: id }) {
    await call(await find(id), 'cancel');
    return null;
}

/** What an accepted offer moved, by new asset ids; of a trade that was undone with `failed`. */
async function moved({ offer: id, failed = false }) {
    const details = await call(await find(id), 'getExchangeDetails', failed);
    const [status, , received, given] = details;
    const ids = (items) => items.map((item) => item.new_assetid);
    return { status, received: ids(received), given: ids(given) };
}

/** Polls as a bot does until an event comes which is about an offer; gives the offer. */
async function poll({ until }) {
    const seen = new Promise((resolve, reject) => {
        manager.once(until, resolve);
        manager.once('pollFailure', reject);
    });
    manager.pollInterval = 1000;
    manager.doPoll();
    try {
        return described(await seen);
    } finally {
        manager.pollInterval = -1;
        manager.removeAllListeners('pollFailure');
    }
}

async function acknowledge() {
    await call(community, 'acknowledgeTradeProtection');
    return null;
}

async function friends() {
    const [friends] = await call(community, 'getFriendsList');
    return friends;
}

async function friend({ act, who }) {
    const method = { add: 'addFriend', accept: 'acceptFriendRequest', remove: 'removeFriend' }[act];
    await call(community, method, who);
    return null;
}

const commands = {
    accept, acknowledge, cancel, confirm, decline, friend, friends, inventory, login, moved, offer,
    offers, poll, renew, send,
};

async function answer(line) {
    const { do: name, ...args } = JSON.parse(line);
    const before = sessionsOver;
    try {
        return { ok: await commands[name](args) };
    } catch (error) {
        const message = String(error.message ?? error);
        const eresult = error.eresult === undefined ? null : Number(error.eresult);
        return { error: { message, eresult, session_over: sessionsOver > before } };
    }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
}
process.exit(0);
