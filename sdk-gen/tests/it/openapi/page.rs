//! The page for people.

use super::{document, made, model, operations, small};
use crate::contract::Contract;

#[test]
fn every_operation_has_its_place() {
    let model = model();
    let page = made(&model, "index.html");
    let document = document(&model);
    for (path, verb, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        let verb = verb.to_uppercase();
        let place = format!("<details id=\"{id}\" data-verb=\"{verb}\" data-path=\"{path}\"");
        assert_eq!(page.matches(&place).count(), 1, "{place}");
    }
    assert_eq!(page.matches("<details id=").count(), operations(&document).len());
}

#[test]
fn every_link_leads_to_a_place_on_the_page() {
    let page = made(&model(), "index.html");
    let links: Vec<&str> =
        page.split("href=\"#").skip(1).map(|part| part.split_once('"').unwrap().0).collect();
    assert!(links.len() > 100);
    for link in links {
        assert_eq!(page.matches(&format!(" id=\"{link}\"")).count(), 1, "#{link}");
    }
}

/// Its server allows one style and one script, by their hashes, and no other origin.
#[test]
fn the_page_keeps_within_a_strict_policy() {
    let page = made(&model(), "index.html");
    for (once, count) in
        [("<style", 1), ("<script", 1), (" style=", 0), ("src=", 0), ("@import", 0)]
    {
        assert_eq!(page.matches(once).count(), count, "{once}");
    }
    let script = page.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
    for unsafe_word in ["innerHTML", "outerHTML", "insertAdjacent", "eval", "Storage", "cookie"] {
        assert!(!script.contains(unsafe_word), "{unsafe_word}");
    }
    let handler = page.split('<').find(|tag| {
        let tag = tag.split('>').next().unwrap_or_default();
        tag.split_whitespace().any(|word| word.starts_with("on") && word.contains('='))
    });
    assert_eq!(handler, None);
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    assert!(!style.contains("url("));
}

#[test]
fn what_the_contract_says_is_text() {
    let contract = Contract::new();
    contract.edit(
        "thing_service.proto",
        "// Gets one thing.",
        "// Gets <script> & `one` \"thing\".",
    );
    let page = made(&small(&contract), "index.html");
    let expected = "<p>Gets &lt;script&gt; &amp; <code>one</code> &quot;thing&quot;.</p>";
    assert!(page.contains(expected), "{page}");
}

#[test]
fn a_line_for_the_shell_has_what_must_be_there() {
    let page = made(&model(), "index.html").replace("&quot;", "\"");
    for expected in [
        "<pre>curl -H \"authorization: Bearer $ASTRO_API_KEY\" \"$ASTRO_ENDPOINT/api/v1/items/${itemId}\"</pre>",
        " -H 'content-type: application/json' -d '{\"userId\": \"76561197960287930\"}' \
         \"$ASTRO_ENDPOINT/api/v1/assignments\"</pre>",
        "<pre>curl -X PATCH -H ",
        "/api/v1/items/${itemId}?updateMask=labels\"</pre>",
        "<pre>curl -N -H ",
        "<pre>curl -X DELETE -H ",
    ] {
        assert!(page.contains(expected), "no {expected}");
    }
}
