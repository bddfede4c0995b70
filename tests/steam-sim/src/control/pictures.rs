//! The pictures of items and people, drawn here: over plain HTTP and at the paths where Steam's image
//! hosts have them. People's are PNG as well, although their names say JPEG.

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use crate::control::Control;

/// Width and height of a picture.
const SIDE: u8 = 48;

pub(super) fn routes() -> Router<Control> {
    Router::new().route("/economy/image/{name}/{size}", get(item)).route("/{avatar}", get(person))
}

async fn item(Path((name, _)): Path<(String, String)>) -> Response {
    picture(&name)
}

async fn person(Path(avatar): Path<String>) -> Response {
    match avatar.strip_suffix(".jpg") {
        Some(name) => picture(name),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn picture(name: &str) -> Response {
    ([(CONTENT_TYPE, "image/png")], draw(name)).into_response()
}

/// A picture of which each name has its own: four squares in two colours.
fn draw(name: &str) -> Vec<u8> {
    let mark = crc(name.as_bytes());
    let [one, two] = [mark, mark.rotate_left(13)].map(|mark| {
        let [red, green, blue, _] = mark.to_be_bytes();
        [red / 2 + 64, green / 2 + 64, blue / 2 + 64]
    });
    let mut rows = Vec::new();
    for y in 0..SIDE {
        // Each row begins with its filter: none.
        rows.push(0);
        for x in 0..SIDE {
            let quarter = u32::from(y >= SIDE / 2) * 2 + u32::from(x >= SIDE / 2);
            rows.extend(if mark >> quarter & 1 == 0 { one } else { two });
        }
    }
    let side = u32::from(SIDE).to_be_bytes();
    // Eight bits for each of three colours, packed and filtered in the one way there is.
    let head = [&side[..], &side, &[8, 2, 0, 0, 0]].concat();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", head), (b"IDAT", stored(&rows)), (b"IEND", Vec::new())] {
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        png.extend(length.to_be_bytes());
        let chunk = [&kind[..], &data].concat();
        png.extend_from_slice(&chunk);
        png.extend(crc(&chunk).to_be_bytes());
    }
    png
}

/// The bytes as zlib has them, not packed.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let mut blocks = bytes.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in bytes {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    out.extend((high << 16 | low).to_be_bytes());
    out
}

/// The check sum of a chunk.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_a_whole_png_and_each_name_has_its_own() {
        // Sums of the texts that the formats' own descriptions use.
        assert_eq!(crc(b"IEND"), 0xae42_6082);
        assert_eq!(stored(b"Wikipedia")[16..], 0x11e6_0398_u32.to_be_bytes());
        let one = draw("a");
        assert!(one.starts_with(b"\x89PNG\r\n\x1a\n") && one.ends_with(b"IEND\xaeB`\x82"));
        assert!(one == draw("a") && one != draw("b"));
        assert!(one.len() < 10_000, "{}", one.len());
    }
}
