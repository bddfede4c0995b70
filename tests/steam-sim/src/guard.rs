//! Steam Guard: login codes, confirmation keys and device ids.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac};
use sha1::{Digest, Sha1};

use crate::ids::SteamId;

const CODE_ALPHABET: &[u8] = b"23456789BCDFGHJKMNPQRTVWXY";
const CODE_LENGTH: usize = 5;
const CODE_STEP_SECS: i64 = 30;
/// Steam hashes no more of the tag than this.
const TAG_BYTES_MAX: usize = 32;

/// The login code which a phone with this base64 `shared_secret` shows at `time` (Unix seconds).
///
/// # Errors
/// When the secret is not base64.
pub fn login_code(shared_secret: &str, time: i64) -> anyhow::Result<String> {
    let mut mac = keyed(shared_secret)?;
    mac.update(&time.div_euclid(CODE_STEP_SECS).to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let start = usize::from(hash[19] & 0xF);
    let word = [hash[start], hash[start + 1], hash[start + 2], hash[start + 3]];
    let mut rest = (u32::from_be_bytes(word) & 0x7FFF_FFFF) as usize;
    let mut code = String::with_capacity(CODE_LENGTH);
    for _ in 0..CODE_LENGTH {
        code.push(char::from(CODE_ALPHABET[rest % CODE_ALPHABET.len()]));
        rest /= CODE_ALPHABET.len();
    }
    Ok(code)
}

/// The key `k` which allows one kind of mobile confirmation call (`tag`) at `time` (Unix seconds).
///
/// # Errors
/// When the secret is not base64.
pub fn confirmation_key(identity_secret: &str, time: i64, tag: &str) -> anyhow::Result<String> {
    let mut mac = keyed(identity_secret)?;
    mac.update(&time.to_be_bytes());
    mac.update(&tag.as_bytes()[..tag.len().min(TAG_BYTES_MAX)]);
    Ok(STANDARD.encode(mac.finalize().into_bytes()))
}

/// The id of the phone of an account whose authenticator was set up by software.
pub fn device_id(steam_id: SteamId) -> String {
    let hash = Sha1::digest(steam_id.to_string());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "android:{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..32]
    )
}

/// Whether `code` is the one shown at `time`, or one step before or after it.
pub(crate) fn accepts_code(shared_secret: &str, time: i64, code: &str) -> bool {
    [-CODE_STEP_SECS, 0, CODE_STEP_SECS].into_iter().any(|drift| {
        login_code(shared_secret, time + drift).is_ok_and(|right| right.eq_ignore_ascii_case(code))
    })
}

fn keyed(secret: &str) -> anyhow::Result<Hmac<Sha1>> {
    let key = STANDARD.decode(secret).map_err(|error| anyhow::anyhow!("a secret: {error}"))?;
    Ok(Hmac::new_from_slice(&key).expect("HMAC takes keys of any length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARED: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    const IDENTITY: &str = "CQkJCQkJCQkJCQkJCQkJCQkJCQk=";

    #[test]
    fn login_codes_match_the_published_vectors() {
        for (time, code) in [
            (1_700_000_000, "2XF5Q"),
            (1_700_000_029, "QGB7K"),
            (1_700_000_030, "QGB7K"),
            (1_763_790_000, "8RBY6"),
        ] {
            assert_eq!(login_code(SHARED, time).unwrap(), code, "at {time}");
        }
        assert_eq!(login_code("cnOgv/KdpLoP6Nbh0GMkXkPXALQ=", 1_634_603_498).unwrap(), "4JRHF");
    }

    #[test]
    fn a_code_is_taken_one_step_late_but_not_two() {
        assert!(accepts_code(SHARED, 1_700_000_030, "2xf5q"));
        assert!(!accepts_code(SHARED, 1_700_000_075, "2XF5Q"));
    }

    #[test]
    fn confirmation_keys_match_the_published_vectors() {
        for (tag, key) in [
            ("conf", "msCnZb+6ERRg3FEo6Lf7es8qQn4="),
            ("list", "5QgCsyNMawDOKhBuHwV7M2iaKmI="),
            ("details", "ekXIoFkKTCCZiAr3L7UpxqLhMxU="),
            ("allow", "TTpGNgmppziUaIPtmXCyxRuaji8="),
            ("cancel", "ULO9jtrK5IyJum+9n4irbr/tSBg="),
            ("accept", "WnTN1zGXHrtni/GNqdiwikPtdug="),
            ("reject", "Bmlhqq4zxdpnKAbijbbHNHIR0WI="),
        ] {
            assert_eq!(confirmation_key(IDENTITY, 1_700_000_000, tag).unwrap(), key, "for {tag}");
        }
    }

    #[test]
    fn the_device_id_matches_the_published_vector() {
        assert_eq!(
            device_id(SteamId(76_561_197_961_265_729)),
            "android:eb574468-0428-2f89-4881-f5acd69c6245"
        );
    }
}
