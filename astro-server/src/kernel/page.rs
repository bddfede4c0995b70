//! Pages: keyset cursors in sealed tokens.
use super::error::{Error, Result};
use super::limits::{LIST_PIECES, PAGE_BYTES_MAX, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX};
use super::seal::Sealer;
use prost::Message;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Rows wanted, 1 to 500.
    pub size: i64,
    /// The last row of the page before, if there was one.
    pub after: Option<Cursor>,
    /// Rows to go through for those that a filter takes.
    pub piece: i64,
    /// What the list is of; a token is good for the same list only.
    query: [u8; 8],
}

/// The place of a row in a list: its sort key and, among equals, its id.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cursor {
    /// Sort key as text: microseconds for times.
    pub key: String,
    /// Id.
    pub id: Uuid,
}

impl Cursor {
    /// A cursor of a list sorted by time.
    pub fn at(time: super::Timestamp, id: Uuid) -> Self {
        Self { key: time.micros().to_string(), id }
    }

    /// The time of a cursor made by [`Cursor::at`].
    ///
    /// # Errors
    /// [`Error::PageToken`] when it is none.
    pub fn time(&self) -> Result<super::Timestamp> {
        let micros = self.key.parse().map_err(|_| Error::PageToken)?;
        super::Timestamp::from_micros("page_token", micros).map_err(|_| Error::PageToken)
    }
}

/// Whether a list that is sorted by age begins with its oldest row, as `order_by` says.
///
/// # Errors
/// [`Error::Invalid`] naming `order_by`.
pub fn oldest_first(order_by: &str) -> Result<bool> {
    match order_by {
        "" | "create_time desc" => Ok(false),
        "create_time" => Ok(true),
        _ => Err(Error::invalid("order_by", "must be create_time or create_time desc")),
    }
}

/// What was found in a piece of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<T> {
    /// Rows of the page, or one more than it wants.
    pub rows: Vec<T>,
    /// Up to where the list was gone through; none: to its end, or as far as rows were wanted.
    pub upto: Option<Cursor>,
}

impl<T> Piece<T> {
    /// The same piece, of what `of` makes of its rows.
    ///
    /// # Errors
    /// Those of `of`.
    pub fn map<U>(self, of: impl FnMut(T) -> Result<U>) -> Result<Piece<U>> {
        let rows = self.rows.into_iter().map(of).collect::<Result<_>>()?;
        Ok(Piece { rows, upto: self.upto })
    }
}

/// How many of `messages` one answer can have before it is too long for a client to read: one at
/// least, if there is any.
pub fn fitting<M: Message>(messages: &[M]) -> usize {
    let mut bytes = 0;
    let fit = messages.iter().take_while(|message| {
        bytes += message.encoded_len();
        bytes <= PAGE_BYTES_MAX
    });
    fit.count().max(1).min(messages.len())
}

impl Page {
    /// Reads the page fields of a request. `query` is whatever else decides the list: method,
    /// organisation, filter, order.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a negative size, [`Error::PageToken`] for a token of another list.
    pub fn parse(sealer: &Sealer, size: i32, token: &str, query: &[&[u8]]) -> Result<Self> {
        if size < 0 {
            return Err(Error::invalid("page_size", "must not be negative"));
        }
        let size = if size == 0 { PAGE_SIZE_DEFAULT } else { size.min(PAGE_SIZE_MAX) };
        let query = fingerprint(query);
        let after = match token {
            "" => None,
            token => Some(open(sealer, token, query)?),
        };
        Ok(Self { size: i64::from(size), after, piece: LIST_PIECES.0, query })
    }

    /// What is left to look for of this page beyond what was found; none when that is enough, or the
    /// list is at its end.
    pub fn beyond<T>(&self, found: &Piece<T>) -> Option<Self> {
        let size = self.size - i64::try_from(found.rows.len()).unwrap_or(self.size);
        let after = found.upto.clone().filter(|_| size > 0)?;
        Some(Self { size, after: Some(after), piece: LIST_PIECES.1, query: self.query })
    }

    /// The messages of the rows that were found in pieces, and the token of the next page: empty when
    /// the list was gone through to its end.
    pub fn end<M: Message>(&self, sealer: &Sealer, found: Piece<(Cursor, M)>) -> (Vec<M>, String) {
        let (rows, upto) = (found.rows, found.upto);
        let cursor = |(cursor, _): &(Cursor, M)| cursor.clone();
        let (messages, token) = self
            .fill(sealer, rows, cursor, |(_, message)| Ok(message))
            .expect("nothing is encoded");
        let token = match upto {
            Some(upto) if token.is_empty() => self.token(sealer, &upto),
            Some(_) | None => token,
        };
        (messages, token)
    }

    /// The messages of `rows`, of which one more than the page's size was asked for, and the token
    /// of the next page: empty on the last one. A page ends before it is too long for a client to
    /// read, but has one row at least.
    ///
    /// # Errors
    /// Those of `encode`.
    pub fn fill<T, M: Message>(
        &self,
        sealer: &Sealer,
        rows: Vec<T>,
        cursor: impl Fn(&T) -> Cursor,
        mut encode: impl FnMut(T) -> Result<M>,
    ) -> Result<(Vec<M>, String)> {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let (found, mut bytes) = (rows.len(), 0);
        let (mut messages, mut last) = (Vec::new(), None);
        for row in rows.into_iter().take(size) {
            let place = cursor(&row);
            let message = encode(row)?;
            bytes += message.encoded_len();
            if bytes > PAGE_BYTES_MAX && last.is_some() {
                break;
            }
            messages.push(message);
            last = Some(place);
        }
        let last = last.filter(|_| messages.len() < found);
        Ok((messages, last.map(|last| self.token(sealer, &last)).unwrap_or_default()))
    }

    fn token(&self, sealer: &Sealer, last: &Cursor) -> String {
        let mut bytes = self.query.to_vec();
        bytes.extend(serde_json::to_vec(last).expect("a cursor has only text"));
        sealer.seal("page", &bytes)
    }
}

fn open(sealer: &Sealer, token: &str, query: [u8; 8]) -> Result<Cursor> {
    let bytes = sealer.open("page", token).ok_or(Error::PageToken)?;
    let (of, cursor) = bytes.split_at_checked(8).ok_or(Error::PageToken)?;
    if of != query {
        return Err(Error::PageToken);
    }
    serde_json::from_slice(cursor).map_err(|_| Error::PageToken)
}

fn fingerprint(parts: &[&[u8]]) -> [u8; 8] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outside::Chance;

    fn sealer() -> Sealer {
        Sealer::new(&[7; 32], Chance::default())
    }

    #[test]
    fn a_token_is_good_for_its_own_list_only() {
        let sealer = sealer();
        let page = Page::parse(&sealer, 2, "", &[b"items", b"org 1"]).unwrap();
        let cursor = |n: &i32| Cursor { key: n.to_string(), id: Uuid::nil() };
        let (rows, token) = page.fill(&sealer, vec![1, 2, 3], cursor, Ok).unwrap();
        assert_eq!(rows, [1, 2]);
        let next = Page::parse(&sealer, 2, &token, &[b"items", b"org 1"]).unwrap();
        assert_eq!(next.after, Some(cursor(&2)));
        let other = Page::parse(&sealer, 2, &token, &[b"items", b"org 2"]);
        assert_eq!(other.unwrap_err(), Error::PageToken);
        assert_eq!(Page::parse(&sealer, 2, "bm9uc2Vuc2U", &[]).unwrap_err(), Error::PageToken);
    }

    #[test]
    fn a_size_is_kept_within_bounds() {
        let sealer = sealer();
        assert_eq!(Page::parse(&sealer, 0, "", &[]).unwrap().size, 50);
        assert_eq!(Page::parse(&sealer, 100_000, "", &[]).unwrap().size, 500);
        assert!(Page::parse(&sealer, -1, "", &[]).is_err());
    }

    #[test]
    fn the_last_page_has_no_token() {
        let sealer = sealer();
        let page = Page::parse(&sealer, 3, "", &[]).unwrap();
        let cursor = |n: &i32| Cursor { key: n.to_string(), id: Uuid::nil() };
        let (rows, token) = page.fill(&sealer, vec![1, 2, 3], cursor, Ok).unwrap();
        assert_eq!((rows, token), (vec![1, 2, 3], String::new()));
    }

    #[test]
    fn a_page_of_few_rows_goes_on_where_the_list_was_gone_through_to() {
        let sealer = sealer();
        let page = Page::parse(&sealer, 3, "", &[]).unwrap();
        let at = |n: i32| Cursor { key: n.to_string(), id: Uuid::nil() };
        let piece = |rows: &[i32], upto: Option<i32>| Piece {
            rows: rows.iter().map(|n| (at(*n), *n)).collect(),
            upto: upto.map(at),
        };
        let next = page.beyond(&piece(&[7], Some(9))).unwrap();
        assert_eq!((next.size, next.after, next.piece), (2, Some(at(9)), LIST_PIECES.1));
        assert_eq!(page.beyond(&piece(&[7, 8, 9], Some(9))), None, "it is full");
        assert_eq!(page.beyond(&piece(&[7], None)), None, "nothing is left");

        let after = |token: &str| Page::parse(&sealer, 3, token, &[]).unwrap().after;
        let (rows, token) = page.end(&sealer, piece(&[7], Some(9)));
        assert_eq!((rows, after(&token)), (vec![7], Some(at(9))));
        let (rows, token) = page.end(&sealer, piece(&[5, 6, 7, 8], Some(9)));
        assert_eq!((rows, after(&token)), (vec![5, 6, 7], Some(at(7))));
        assert_eq!(page.end(&sealer, piece(&[], None)), (vec![], String::new()));
    }

    #[test]
    fn a_page_ends_before_it_is_too_long_and_goes_on_with_the_next_row() {
        let sealer = sealer();
        let page = Page::parse(&sealer, 100, "", &[]).unwrap();
        let cursor = |row: &String| Cursor { key: row[..1].to_owned(), id: Uuid::nil() };
        let long = |name: &str| name.to_owned() + &" ".repeat(PAGE_BYTES_MAX / 2 - 100);
        let rows = vec![long("a"), long("b"), long("c")];
        let (rows, token) = page.fill(&sealer, rows, cursor, Ok).unwrap();
        assert_eq!(rows.len(), 2);
        let next = Page::parse(&sealer, 100, &token, &[]).unwrap();
        assert_eq!(next.after.unwrap().key, "b");
        let longer = vec!["d".repeat(2 * PAGE_BYTES_MAX), "e".to_owned()];
        let (rows, token) = page.fill(&sealer, longer, cursor, Ok).unwrap();
        assert_eq!(rows.len(), 1, "a row that is too long by itself comes alone");
        assert!(!token.is_empty());
    }
}
