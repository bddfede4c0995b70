//! Codes of the mobile authenticator: pure; time is an argument.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::{Digest as _, Sha1};

use crate::{secret::Secret, steam::wire::SteamId};

/// A shared or identity secret was not base64.
#[derive(Debug, thiserror::Error)]
#[error("the authenticator's secret is not base64")]
pub(crate) struct BadSecret;

/// The login code of this moment: five characters, new every 30 seconds.
pub(crate) fn login_code(shared_secret: &Secret, unix: i64) -> Result<String, BadSecret> {
    const ALPHABET: &[u8; 26] = b"23456789BCDFGHJKMNPQRTVWXY";
    let hash = sign(shared_secret, &(unix.cast_unsigned() / 30).to_be_bytes())?;
    let start = usize::from(hash[19] & 0xf);
    let word = [hash[start], hash[start + 1], hash[start + 2], hash[start + 3]];
    let mut number = u32::from_be_bytes(word) & 0x7fff_ffff;
    let mut code = String::with_capacity(5);
    for _ in 0..5 {
        code.push(char::from(ALPHABET[(number % 26) as usize]));
        number /= 26;
    }
    Ok(code)
}

/// The key that authorises a request about confirmations; valid for this tag and moment.
pub(crate) fn confirmation_key(
    identity_secret: &Secret,
    unix: i64,
    tag: &str,
) -> Result<String, BadSecret> {
    let mut message = unix.to_be_bytes().to_vec();
    message.extend(tag.bytes().take(32));
    Ok(STANDARD.encode(sign(identity_secret, &message)?))
}

/// The device id that an authenticator made by software has.
pub(crate) fn device_id(steam_id: SteamId) -> String {
    let hash = Sha1::digest(steam_id.to_string());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]];
    format!("android:{}", parts.join("-"))
}

fn sign(secret: &Secret, message: &[u8]) -> Result<[u8; 20], BadSecret> {
    let key = STANDARD.decode(secret.expose()).map_err(|_| BadSecret)?;
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).expect("HMAC takes a key of any length");
    mac.update(message);
    Ok(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn login_codes_match_the_known_ones() {
        let secret = Secret::new("BwcHBwcHBwcHBwcHBwcHBwcHBwc=");
        for (unix, code) in [
            (1_700_000_000, "2XF5Q"),
            (1_700_000_029, "QGB7K"),
            (1_700_000_030, "QGB7K"),
            (1_763_790_000, "8RBY6"),
        ] {
            assert_eq!(login_code(&secret, unix).unwrap(), code);
        }
        let secret = Secret::new("cnOgv/KdpLoP6Nbh0GMkXkPXALQ=");
        assert_eq!(login_code(&secret, 1_634_603_498).unwrap(), "4JRHF");
    }

    #[test]
    fn confirmation_keys_match_the_known_ones() {
        let secret = Secret::new("CQkJCQkJCQkJCQkJCQkJCQkJCQk=");
        for (tag, key) in [
            ("conf", "msCnZb+6ERRg3FEo6Lf7es8qQn4="),
            ("list", "5QgCsyNMawDOKhBuHwV7M2iaKmI="),
            ("details", "ekXIoFkKTCCZiAr3L7UpxqLhMxU="),
            ("allow", "TTpGNgmppziUaIPtmXCyxRuaji8="),
            ("cancel", "ULO9jtrK5IyJum+9n4irbr/tSBg="),
            ("accept", "WnTN1zGXHrtni/GNqdiwikPtdug="),
            ("reject", "Bmlhqq4zxdpnKAbijbbHNHIR0WI="),
        ] {
            assert_eq!(confirmation_key(&secret, 1_700_000_000, tag).unwrap(), key, "{tag}");
        }
    }

    #[test]
    fn the_device_id_matches_the_known_one() {
        assert_eq!(
            device_id(SteamId(76_561_197_961_265_729)),
            "android:eb574468-0428-2f89-4881-f5acd69c6245"
        );
    }

    #[test]
    fn a_secret_that_is_not_base64_is_refused() {
        assert!(login_code(&Secret::new("not base64!"), 0).is_err());
    }
}
