//! Money in minor units.
use super::error::{Error, Result};

/// An amount in the minor unit of a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    /// Cents, or whatever the currency's smallest unit is. Never negative.
    pub minor_units: i64,
    /// ISO 4217 code.
    pub currency: String,
}

impl Money {
    /// Checks an amount from outside.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `field` for a negative amount or a code that is not three capitals.
    pub fn parse(field: &'static str, minor_units: i64, currency: &str) -> Result<Self> {
        if minor_units < 0 {
            return Err(Error::invalid(format!("{field}.minor_units"), "must not be negative"));
        }
        if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(Error::invalid(
                format!("{field}.currency_code"),
                "must be an ISO 4217 code such as USD",
            ));
        }
        Ok(Self { minor_units, currency: currency.to_owned() })
    }

    /// The two columns an amount is kept in, put together again.
    pub fn from_columns(minor_units: Option<i64>, currency: Option<String>) -> Option<Self> {
        Some(Self { minor_units: minor_units?, currency: currency? })
    }

    /// The sum; none when there is no amount, or amounts of several currencies.
    pub fn sum<'a>(amounts: impl Iterator<Item = &'a Money>) -> Option<Money> {
        amounts.map(|m| Some(m.clone())).reduce(|a, b| {
            let (a, b) = (a?, b?);
            let minor_units = a.minor_units.checked_add(b.minor_units)?;
            (a.currency == b.currency).then_some(Money { minor_units, currency: a.currency })
        })?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_one_currency_add_up_and_others_do_not() {
        let euro = |n| Money { minor_units: n, currency: "EUR".to_owned() };
        let dollar = Money { minor_units: 1, currency: "USD".to_owned() };
        assert_eq!(Money::sum([&euro(100), &euro(250)].into_iter()), Some(euro(350)));
        assert_eq!(Money::sum([&euro(100), &dollar].into_iter()), None);
        assert_eq!(Money::sum([&euro(i64::MAX), &euro(1)].into_iter()), None);
        assert_eq!(Money::sum(std::iter::empty()), None);
    }
}
