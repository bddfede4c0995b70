//! The key with which clients encrypt a password, and the opening of what they send.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;

/// A fixed pair of 1024 bit primes. It guards nothing but made-up test passwords, and making a key
/// in a debug build would take seconds at each start.
const P: &[u8] = b"F65E5475CAED9A37D67FA7F16AD93C75C10A8A8D6CF12CD9724EE75B821A9E20\
A89E85009A4A8F686D2016D9AD97A647EB484A4EB2C84C4A0D29A72F3FCC07586AC3E83143900C7870FB2D706E121D7A\
10C783E3ABE9CD731CE791A126F8F6FAA1E9B5673B3434DD9EF933F8FC5854C10A13E71710055419DFA0AA97D5CA4EA7";
const Q: &[u8] = b"DBA37252AA60079780770CFDE80C90961045E11D3AA81CE146DE0CA8A3A5781A\
31555BCFED609631B02DE0BD613C446B44A35F9FB72D54FDCF896CDF699243F262B9DCDECB338E9F966EE9F3E6CAD68A\
5C35C5D76D8DE94C596E72983C8D64F8A44865E7904EA6204EE744640C4896942D4E79FCBE45D4506CBFD840034E4535";
const EXPONENT: u32 = 65_537;
const KEY_BYTES: usize = 256;

pub(crate) struct PasswordKey {
    modulus: BigUint,
    private: BigUint,
}

impl PasswordKey {
    pub(crate) fn fixed() -> Self {
        let p = BigUint::parse_bytes(P, 16).expect("P is hexadecimal");
        let q = BigUint::parse_bytes(Q, 16).expect("Q is hexadecimal");
        let one = BigUint::from(1u32);
        let phi = (&p - &one) * (&q - &one);
        let private = BigUint::from(EXPONENT).modinv(&phi).expect("the exponent has an inverse");
        Self { modulus: p * q, private }
    }

    /// `publickey_mod`: 512 hexadecimal digits.
    pub(crate) fn modulus(&self) -> String {
        self.modulus.to_str_radix(16)
    }

    /// `publickey_exp`.
    pub(crate) fn exponent(&self) -> String {
        "010001".to_owned()
    }

    /// The password in base64 of its PKCS#1 v1.5 encryption; `None` when it is anything else.
    pub(crate) fn open(&self, encrypted: &str) -> Option<String> {
        let cipher = STANDARD.decode(encrypted).ok()?;
        if cipher.len() != KEY_BYTES {
            return None;
        }
        let plain = BigUint::from_bytes_be(&cipher).modpow(&self.private, &self.modulus);
        // The leading zero of `00 02 <padding> 00 <password>` is not in the number's bytes.
        let block = plain.to_bytes_be();
        if block.len() != KEY_BYTES - 1 || block[0] != 2 {
            return None;
        }
        let end_of_padding = block.iter().position(|byte| *byte == 0)?;
        String::from_utf8(block[end_of_padding + 1..].to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_encrypted_with_the_public_half_is_opened() {
        let key = PasswordKey::fixed();
        assert_eq!(key.modulus().len(), 512);
        let mut block = vec![0, 2];
        block.resize(KEY_BYTES - 7, 0xAA);
        block.push(0);
        block.extend(b"hunter");
        let modulus = BigUint::parse_bytes(key.modulus().as_bytes(), 16).unwrap();
        let cipher = BigUint::from_bytes_be(&block).modpow(&BigUint::from(EXPONENT), &modulus);
        let mut bytes = cipher.to_bytes_be();
        while bytes.len() < KEY_BYTES {
            bytes.insert(0, 0);
        }
        assert_eq!(key.open(&STANDARD.encode(bytes)), Some("hunter".to_owned()));
        assert_eq!(key.open("bm90IGEgY2lwaGVy"), None);
    }
}
