//! Hugging Face's hub: what is chosen, what is checked, and who gets a token.

use models::pull::{Place, Role, Token, header};
use serde_json::json;

use super::*;
use crate::registry::{ALWAYS, Quirk};

fn large(path: &str, length: usize) -> ApiFile<'_> {
    ApiFile { path, bytes: noise(length, length as u64), is_large: true }
}

fn small<'a>(path: &'a str, text: &str) -> ApiFile<'a> {
    ApiFile { path, bytes: text.as_bytes().to_vec(), is_large: false }
}

fn names(found: &Found) -> Vec<&str> {
    found.files.iter().map(|file| file.name.as_str()).collect()
}

#[test]
fn a_quantisation_brings_all_its_parts() {
    let registry = Registry::start();
    registry.hub(
        "o/r",
        COMMIT,
        &[
            large("Q4_K_M/m-Q4_K_M-00002-of-00002.gguf", 20),
            large("Q4_K_M/m-Q4_K_M-00001-of-00002.gguf", 10),
            large("m-Q8_0.gguf", 30),
            large("mmproj-F16.gguf", 5),
            small("README.md", "x"),
        ],
    );
    let client = client(&registry);
    let parts = ["Q4_K_M/m-Q4_K_M-00001-of-00002.gguf", "Q4_K_M/m-Q4_K_M-00002-of-00002.gguf"];
    assert_eq!(names(&found(&client, "hf:o/r").unwrap()), parts);
    assert_eq!(names(&found(&client, "hf:o/r:q4_k_m").unwrap()), parts);
    assert_eq!(names(&found(&client, "hf:o/r:m-Q8_0.gguf").unwrap()), ["m-Q8_0.gguf"]);
    let error = words(found(&client, "hf:o/r:Q3_K"));
    assert!(error.contains("Q4_K_M") && error.contains("Q8_0"), "{error}");
}

#[test]
fn a_folder_of_safetensors_comes_with_what_it_needs_and_git_checks_it() {
    let registry = Registry::start();
    registry.hub(
        "o/r",
        COMMIT,
        &[
            large("model.safetensors", 3 * PIECE as usize),
            small("config.json", "{\"a\": 1}"),
            small("tokenizer.json", "{}"),
            small("empty.json", ""),
            large("pytorch_model.bin", 9),
        ],
    );
    let client = client(&registry);
    let all = found(&client, "hf:o/r").unwrap();
    assert_eq!(names(&all), ["model.safetensors", "config.json", "tokenizer.json"]);
    assert_eq!(all.files[1].role, Role::Config);
    let partial = folder("git").join("x");
    assert!(download(&client, &all.files[1], &partial, &go_on).is_ok());
    let path = format!("/o/r/resolve/{COMMIT}/tokenizer.json");
    registry.quirk(&path, ALWAYS, Quirk::Spoiled);
    let error = words(download(&client, &all.files[2], &partial, &go_on));
    assert!(error.contains("git:"), "{error}");
    assert!(is_gone(&partial));
}

#[test]
fn a_header_takes_no_more_than_it_was_asked_for() {
    let bytes = noise(9 * PIECE as usize, 2);
    let (registry, path) = hub(&bytes);
    let client = client(&registry);
    let wanted = only_file(&client, "hf:o/r");
    assert_eq!(header(&client, &wanted, 1000, &go_on).unwrap(), &bytes[..1000]);
    assert_eq!(registry.asked_of(&path)[0].sent, 0..1000);
    registry.quirk(&path, ALWAYS, Quirk::NoRanges);
    assert_eq!(header(&client, &wanted, 1000, &go_on).unwrap(), &bytes[..1000]);
    let all = header(&client, &wanted, 1 << 40, &go_on).unwrap();
    assert_eq!(all, bytes);
}

#[test]
fn long_lists_have_pages_of_the_same_host() {
    let registry = Registry::start();
    registry.hub("o/r", COMMIT, &[small("README.md", "x")]);
    let list = format!("/api/models/o/r/tree/{COMMIT}");
    let more = format!("{list}?cursor=2");
    registry.header(&list, "Link", &format!("<{}>; rel=\"next\"", registry.url(&more)));
    let digest = Digest::of(b"x").hexadecimal();
    registry.json(
        &more,
        &json!([{"type": "file", "oid": "0".repeat(40), "size": 1,
        "path": "a.gguf", "lfs": {"oid": digest, "size": 1}}]),
    );
    let client = client(&registry);
    assert_eq!(names(&found(&client, "hf:o/r").unwrap()), ["a.gguf"]);
    let elsewhere = Registry::start();
    registry.hub("o/s", COMMIT, &[small("README.md", "x")]);
    let list = format!("/api/models/o/s/tree/{COMMIT}");
    registry.header(&list, "Link", &format!("<{}>; rel=\"next\"", elsewhere.url("/x")));
    assert!(words(found(&client, "hf:o/s")).contains("somewhere else"));
    assert_eq!(elsewhere.asked().len(), 0);
}

#[test]
fn a_commit_that_is_asked_for_is_no_other() {
    let registry = Registry::start();
    registry.hub("o/r", COMMIT, &[large("m-Q8_0.gguf", 9)]);
    let asked = "d".repeat(40);
    for named in [COMMIT, &asked] {
        let about = json!({ "sha": COMMIT });
        registry.json(&format!("/api/models/o/r/revision/{named}"), &about);
    }
    let client = client(&registry);
    assert!(found(&client, &format!("hf:o/r@{COMMIT}")).is_ok());
    let error = words(found(&client, &format!("hf:o/r@{asked}")));
    assert!(error.contains("another commit") && error.contains(COMMIT), "{error}");
}

#[test]
fn what_is_missing_is_named() {
    let (registry, path) = hub(b"x");
    let client = client(&registry);
    let error = words(found(&client, "hf:o/other"));
    assert!(error.contains("repository o/other"), "{error}");
    let error = words(found(&client, "hf:o/r@v9"));
    assert!(error.contains("revision v9"), "{error}");
    let wanted = only_file(&client, "hf:o/r");
    registry.quirk(&path, ALWAYS, Quirk::Status(404, vec![]));
    let partial = folder("missing").join("x");
    let error = words(download(&client, &wanted, &partial, &go_on));
    assert!(error.contains("m-Q8_0.gguf"), "{error}");
    // As the hub says it to those whom it does not know.
    let hidden = vec![("X-Error-Code", "RepoNotFound".to_owned())];
    registry.quirk("/api/models/o/p/revision/main", ALWAYS, Quirk::Status(401, hidden));
    let error = words(found(&client, "hf:o/p"));
    assert!(error.contains("repository o/p") && error.contains("HF_TOKEN"), "{error}");
}

#[test]
fn who_is_not_let_in_is_told_what_to_do() {
    let (registry, path) = hub(b"x");
    let client = client(&registry);
    let wanted = only_file(&client, "hf:o/r");
    let partial = folder("denied").join("x");
    let denied = |status, headers| {
        registry.quirk(&path, 1, Quirk::Status(status, headers));
        words(download(&client, &wanted, &partial, &go_on))
    };
    assert!(denied(401, vec![]).contains("set HF_TOKEN"));
    let gated = denied(403, vec![("X-Error-Code", "GatedRepo".to_owned())]);
    assert!(gated.contains(&registry.url("/o/r")) && gated.contains("HF_TOKEN"), "{gated}");
    assert!(denied(403, vec![]).contains("accept the terms at"));
    assert!(denied(418, vec![]).contains("418"));
}

#[test]
fn a_token_goes_to_its_host_alone() {
    let bytes = noise(4 * PIECE as usize, 3);
    let (registry, path) = hub(&bytes);
    let cdn = Registry::start();
    cdn.put("/blob", bytes.clone());
    registry.quirk(&path, ALWAYS, Quirk::Redirect(cdn.url("/blob?signature=secret")));
    let mut settings = options(&registry);
    let origin = settings.hub.origin().clone();
    settings.tokens = vec![(origin, Token::new("hf_secret").unwrap())];
    let ports = [cdn.address.port(), registry.address.port()];
    settings.private = ports.map(|port| ("127.0.0.1".to_owned(), port)).to_vec();
    let client = Client::new(settings).unwrap();
    let (digest, _) = fetched("token", &client);
    assert_eq!(digest.unwrap(), Digest::of(&bytes));
    let with = |asked: &registry::Asked| asked.headers.get("authorization").cloned();
    let sent = Some("Bearer hf_secret".to_owned());
    assert!(registry.asked().iter().all(|asked| with(asked) == sent));
    assert!(cdn.asked().len() >= 4 && cdn.asked().iter().all(|asked| with(asked).is_none()));
    // The way through the hub is known after the first pieces.
    assert!(registry.asked_of(&path).len() <= 4);
    // Who sends us to the hub does not get there with the token.
    registry.put("/x.gguf", bytes);
    cdn.quirk("/m.gguf", ALWAYS, Quirk::Redirect(registry.url("/x.gguf")));
    let wanted = only_file(&client, &cdn.url("/m.gguf"));
    download(&client, &wanted, &folder("token").join("x"), &go_on).unwrap();
    let led = registry.asked_of("/x.gguf");
    assert!(led.len() > 2 && led.iter().all(|asked| with(asked).is_none()));
}

#[test]
fn a_signed_address_that_has_ended_is_asked_for_again() {
    let bytes = noise(8 * PIECE as usize, 4);
    let (registry, path) = hub(&bytes);
    registry.put("/old", bytes.clone());
    registry.put("/new", bytes.clone());
    registry.quirk("/old", 2, Quirk::Slow(Duration::ZERO));
    registry.quirk("/old", ALWAYS, Quirk::Status(403, vec![]));
    registry.quirk(&path, 1, Quirk::Redirect("/old".to_owned()));
    registry.quirk(&path, ALWAYS, Quirk::Redirect("/new".to_owned()));
    let client = Client::new(Options { connections: 1, ..options(&registry) }).unwrap();
    // With one connection there is one run; by pieces there are more.
    assert_eq!(fetched("signed", &client).0.unwrap(), Digest::of(&bytes));
    let client = Client::new(Options { connections: 2, ..options(&registry) }).unwrap();
    assert_eq!(fetched("signed", &client).0.unwrap(), Digest::of(&bytes));
}

#[test]
fn no_network_refuses_before_anybody_is_asked() {
    let (registry, _) = hub(b"x");
    let wanted = only_file(&client(&registry), "hf:o/r");
    registry.forget();
    let offline = Client::new(Options { offline: true, ..options(&registry) }).unwrap();
    let partial = folder("offline").join("x");
    assert!(words(found(&offline, "hf:o/r")).contains("offline"));
    assert!(words(download(&offline, &wanted, &partial, &go_on)).contains("offline"));
    assert!(words(header(&offline, &wanted, 1, &go_on)).contains("offline"));
    assert_eq!((registry.asked().len(), partial.exists()), (0, false));
    assert!(matches!(wanted.place, Place::Web(_)));
}

#[test]
fn a_proxy_stands_between_and_the_rules_hold() {
    let bytes = noise(4 * PIECE as usize, 5);
    let (registry, path) = hub(&bytes);
    let (proxy, elsewhere) = (Registry::start(), Registry::start());
    let through = Proxy::Through(proxy.url(""));
    let client = Client::new(Options { proxy: through, ..options(&registry) }).unwrap();
    assert_eq!(fetched("proxy", &client).0.unwrap(), Digest::of(&bytes));
    assert!(proxy.connected().iter().all(|target| *target == registry.host()));
    assert!(!proxy.connected().is_empty());
    for to in [elsewhere.url("/x"), proxy.url("/x")] {
        registry.quirk(&path, 1, Quirk::Redirect(to));
        assert!(words(fetched("proxy", &client).0).contains("redirects to"));
    }
    assert!(!proxy.connected().contains(&elsewhere.host()));
    for strange in ["gopher://user:secret@x y", "socks5://user:secret@127.0.0.1:1080"] {
        let strange = Proxy::Through(strange.to_owned());
        let refused = Client::new(Options { proxy: strange, ..options(&registry) });
        assert!(words(refused.map(|_| ())).contains("proxy"));
    }
}
