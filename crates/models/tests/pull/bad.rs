//! Bad worlds: a clear error, or a download that goes on; never a file that is not what it should
//! be, never a request to somebody whom the source did not name.

use std::time::Instant;

use super::*;
use crate::registry::{ALWAYS, Quirk};

#[test]
fn who_is_busy_is_waited_for() {
    let bytes = noise(8 * PIECE as usize, 10);
    let (registry, path) = hub(&bytes);
    let later = vec![("Retry-After", "1".to_owned())];
    registry.quirk(&path, 1, Quirk::Status(429, later.clone()));
    registry.quirk(&path, 1, Quirk::Status(503, vec![]));
    registry.quirk("/api/models/o/r/revision/main", 2, Quirk::Status(502, vec![]));
    let client = client(&registry);
    let wanted = only_file(&client, "hf:o/r");
    let partial = folder("busy").join("x");
    let (begin, reasons) = (Instant::now(), Mutex::new(Vec::new()));
    let digest = download(&client, &wanted, &partial, &|progress| {
        if let Stage::Waiting { why, .. } = progress.stage {
            reasons.lock().unwrap().push(why);
        }
        ControlFlow::Continue(())
    });
    assert_eq!(digest.unwrap(), Digest::of(&bytes));
    assert!(begin.elapsed() >= Duration::from_millis(300), "Retry-After, up to the longest pause");
    let reasons = reasons.into_inner().unwrap();
    assert!(reasons.iter().any(|why| why.contains("429")), "{reasons:?}");
    registry.quirk(&path, ALWAYS, Quirk::Status(500, vec![]));
    let error = words(download(&client, &wanted, &folder("never").join("x"), &go_on));
    assert!(error.contains("tried 5 times"), "{error}");
}

#[test]
fn what_one_connection_cannot_mend_ends_the_others_that_wait() {
    let (registry, path) = hub(&noise(8 * PIECE as usize, 21));
    let later = vec![("Retry-After", "60".to_owned())];
    registry.quirk(&path, 1, Quirk::Status(429, later));
    registry.quirk(&path, ALWAYS, Quirk::Status(403, vec![]));
    let longest_pause = Duration::from_secs(60);
    let client = Client::new(Options { longest_pause, ..options(&registry) }).unwrap();
    let begin = Instant::now();
    assert!(words(fetched("mend", &client).0).contains("accept the terms"));
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[test]
fn bodies_cut_short_and_stalled_connections_go_on_from_there() {
    let bytes = noise(8 * PIECE as usize, 11);
    let (registry, path) = hub(&bytes);
    registry.quirk(&path, 3, Quirk::Cut(PIECE as usize / 2));
    registry.quirk(&path, 1, Quirk::Cut(0));
    registry.quirk(&path, 2, Quirk::Stall(1000, Duration::from_secs(2)));
    assert_eq!(fetched("cut", &client(&registry)).0.unwrap(), Digest::of(&bytes));
    let sent: u64 = registry.asked_of(&path).iter().map(|a| a.sent.end - a.sent.start).sum();
    assert!(sent <= bytes.len() as u64 + 2 * PIECE, "{sent} of {} were sent", bytes.len());
}

#[test]
fn one_connection_goes_on_as_well() {
    let bytes = noise(2 * PIECE as usize, 12);
    let (registry, path) = hub(&bytes);
    registry.quirk(&path, 1, Quirk::Cut(PIECE as usize + 5));
    let (digest, _) = fetched("cut-one", &client(&registry));
    assert_eq!(digest.unwrap(), Digest::of(&bytes));
    let asked = registry.asked_of(&path);
    assert_eq!((asked.len(), asked[1].sent.start), (2, PIECE + 5));
}

#[test]
fn a_server_without_ranges_sends_one_stream() {
    let bytes = noise(8 * PIECE as usize, 13);
    let (registry, path) = hub(&bytes);
    registry.quirk(&path, 6, Quirk::NoRanges);
    registry.quirk(&path, ALWAYS, Quirk::NoRanges);
    let (digest, partial) = fetched("no-ranges", &client(&registry));
    assert_eq!(digest.unwrap(), Digest::of(&bytes));
    assert_eq!(fs::read(partial).unwrap(), bytes);
}

#[test]
fn another_version_in_the_middle_is_begun_anew_once() {
    let bytes = noise(8 * PIECE as usize, 14);
    let (registry, path) = hub(&bytes);
    registry.quirk(&path, 2, Quirk::Etag("\"v0\""));
    assert_eq!(fetched("etag", &client(&registry)).0.unwrap(), Digest::of(&bytes));
    for etag in ["\"v2\"", "\"v3\"", "\"v4\"", "\"v5\""].repeat(4) {
        registry.quirk(&path, 1, Quirk::Etag(etag));
    }
    let (result, partial) = fetched("etag", &client(&registry));
    assert!(words(result).contains("changes while it is fetched"));
    assert!(is_gone(&partial));
}

#[test]
fn without_a_digest_no_two_versions_are_joined() {
    let (registry, path) = (Registry::start(), "/m.gguf");
    let client = client(&registry);
    let [one, two] = [22, 23].map(|seed| noise(64 * PIECE as usize, seed));
    for (etags, is_in_pieces) in [
        (["W/\"1\"", "W/\"1\""], false),
        (["\"1", "\"1"], false),
        (["", ""], false),
        (["\"1\"", "\"2\""], true),
    ] {
        registry.put(path, one.clone());
        registry.header(path, "ETag", etags[0]);
        registry.quirk(path, ALWAYS, Quirk::Slow(Duration::from_millis(10)));
        let wanted = only_file(&client, &registry.url(path));
        let partial = folder("joined").join("x");
        let stop = |progress: Progress| match progress.done > 8 * PIECE {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        assert!(matches!(download(&client, &wanted, &partial, &stop), Err(Error::Stopped)));
        registry.put(path, two.clone());
        registry.header(path, "ETag", etags[1]);
        registry.forget();
        assert_eq!(download(&client, &wanted, &partial, &go_on).unwrap(), Digest::of(&two));
        let asked = registry.asked_of(path);
        // The first asks for the version.
        assert_eq!(asked.len(), if is_in_pieces { 65 } else { 2 });
        let condition = asked.last().and_then(|asked| asked.headers.get("if-range").cloned());
        assert_eq!(condition, is_in_pieces.then(|| etags[1].to_owned()));
    }
}

#[test]
fn without_a_digest_two_mirrors_are_not_joined() {
    let [registry, one, two] = [(); 3].map(|()| Registry::start());
    let bytes = [24, 25].map(|seed| noise(8 * PIECE as usize, seed));
    for (mirror, bytes, etag) in [(&one, &bytes[0], "\"1\""), (&two, &bytes[1], "\"2\"")] {
        mirror.put("/m.gguf", bytes.clone());
        mirror.header("/m.gguf", "ETag", etag);
    }
    let port = |mirror: &Registry| ("127.0.0.1".to_owned(), mirror.address.port());
    let private = vec![port(&one), port(&two)];
    let client = Client::new(Options { private, ..options(&registry) }).unwrap();
    registry.quirk("/m.gguf", 3, Quirk::Redirect(one.url("/m.gguf")));
    registry.quirk("/m.gguf", ALWAYS, Quirk::Redirect(two.url("/m.gguf")));
    let wanted = only_file(&client, &registry.url("/m.gguf"));
    let partial = folder("mirrors").join("x");
    let digest = download(&client, &wanted, &partial, &go_on).unwrap();
    assert!(bytes.iter().any(|bytes| Digest::of(bytes) == digest));
}

#[test]
fn a_short_answer_that_trickles_is_given_up() {
    let registry = Registry::start();
    let settings = Options {
        short_answer: Duration::from_millis(300),
        header: Duration::from_millis(300),
        ..options(&registry)
    };
    let client = Client::new(settings).unwrap();
    let slow = Quirk::Slow(Duration::from_millis(100));
    let begin = Instant::now();
    let about = "/api/models/o/r/revision/main";
    registry.put(about, vec![b' '; 8 << 20]);
    registry.quirk(about, ALWAYS, slow.clone());
    assert!(words(found(&client, "hf:o/r")).contains("too long"));
    registry.put("/m.gguf", vec![0; 8 << 20]);
    let wanted = only_file(&client, &registry.url("/m.gguf"));
    registry.quirk("/m.gguf", ALWAYS, slow);
    let header = models::pull::header(&client, &wanted, 8 << 20, &go_on);
    assert!(words(header).contains("too long"));
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[test]
fn wrong_bytes_are_not_kept() {
    for pieces in [1, 8] {
        let bytes = noise(pieces * PIECE as usize, 15);
        let (registry, path) = hub(&bytes);
        registry.quirk(&path, ALWAYS, Quirk::Spoiled);
        let (result, partial) = fetched("spoiled", &client(&registry));
        let error = words(result);
        assert!(error.contains(&Digest::of(&bytes).to_string()), "{error}");
        assert_eq!(error.matches("sha256:").count(), 2, "{error}");
        assert!(is_gone(&partial));
        assert_eq!(registry.asked_of(&path).len(), pieces, "what is new is fetched once");
    }
}

#[test]
fn a_map_that_lies_is_found_out_and_the_file_is_fetched_anew() {
    let bytes = noise(8 * PIECE as usize, 16);
    let (registry, path) = hub(&bytes);
    let client = client(&registry);
    let wanted = only_file(&client, "hf:o/r");
    let partial = folder("lie").join("x");
    fs::write(&partial, vec![0; bytes.len()]).unwrap();
    let map = format!("hearth pieces 1 {} {PIECE} {}\n########\n", bytes.len(), Digest::of(&bytes));
    fs::write(partial.with_extension("map"), map).unwrap();
    assert_eq!(download(&client, &wanted, &partial, &go_on).unwrap(), Digest::of(&bytes));
    assert_eq!(registry.asked_of(&path).len(), 8);
}

#[test]
fn lengths_that_are_not_true_are_found_out() {
    let long = 10_000_000_000;
    for (pieces, quirk, word) in [
        (8, Quirk::Total(long), "should have"),
        (1, Quirk::Length(long), "should have"),
        (8, Quirk::Length(7), "other bytes"),
        (8, Quirk::OtherRange, "other bytes"),
        (1, Quirk::Cut(2), "the connection ended early"),
    ] {
        let (registry, path) = hub(&noise(pieces * PIECE as usize, 17));
        registry.quirk(&path, ALWAYS, quirk.clone());
        let (result, partial) = fetched("lengths", &client(&registry));
        let error = words(result);
        assert!(error.contains(word), "{quirk:?}: {error}");
        assert!(fs::metadata(&partial).map_or(0, |about| about.len()) <= 8 * PIECE);
    }
}

#[test]
fn a_file_of_two_bytes_that_claims_ten_gigabytes_is_none() {
    let (registry, path) = hub(b"xy");
    let client = client(&registry);
    let mut wanted = only_file(&client, "hf:o/r");
    wanted.size = Some(10_000_000_000);
    let partial = folder("claims").join("x");
    assert!(words(download(&client, &wanted, &partial, &go_on)).contains("10000000000"));
    assert!(is_gone(&partial));
    wanted.size = Some(1);
    assert!(words(download(&client, &wanted, &partial, &go_on)).contains("should have 1 bytes"));
    registry.quirk(&path, ALWAYS, Quirk::Length(10_000_000_000));
    wanted.size = None;
    assert!(download(&client, &wanted, &partial, &go_on).is_err());
}

/// It is read whole, where weights are not.
#[test]
fn a_tokenizer_is_not_as_long_as_weights() {
    let bytes = noise(PIECE as usize, 19);
    let (registry, _) = hub(&bytes);
    registry.put("/m.gguf", bytes);
    let client = client(&registry);
    let wanted = only_file(&client, &registry.url("/m.gguf"));
    let mut long = wanted.clone();
    (long.role, long.size) = (Role::Tokenizer, Some((256 << 20) + 1));
    let partial = folder("tokenizer").join("x");
    assert!(words(download(&client, &long, &partial, &go_on)).contains("which is the limit"));
    download(&client, &wanted, &partial, &go_on).unwrap();
}

#[test]
fn a_body_without_an_end_is_bounded() {
    let bytes = noise(PIECE as usize, 18);
    let (registry, path) = hub(&bytes);
    registry.quirk(&path, ALWAYS, Quirk::Endless);
    let (result, partial) = fetched("endless", &client(&registry));
    assert!(words(result).contains("more"));
    assert!(is_gone(&partial));
    registry.put("/m.gguf", bytes);
    registry.quirk("/m.gguf", ALWAYS, Quirk::Endless);
    let client = Client::new(Options { longest: 10 * PIECE, ..options(&registry) }).unwrap();
    let wanted = only_file(&client, &registry.url("/m.gguf"));
    assert!(words(download(&client, &wanted, &partial, &go_on)).contains("which is the limit"));
    assert!(is_gone(&partial));
}

#[test]
fn redirects_lead_to_nobody_whom_the_source_did_not_name() {
    let (registry, path) = hub(b"x");
    let elsewhere = Registry::start();
    elsewhere.put("/x", b"x".to_vec());
    let client = client(&registry);
    for to in [
        elsewhere.url("/x"),
        format!("http://localhost:{}/x", elsewhere.address.port()),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "https://10.0.0.1/x".to_owned(),
        "https://[::ffff:127.0.0.1]/x".to_owned(),
        "file:///etc/passwd".to_owned(),
        "ftp://example.com/x".to_owned(),
        "data:,x".to_owned(),
        "http://example.com/x".to_owned(),
        String::new(),
    ] {
        registry.quirk(&path, 1, Quirk::Redirect(to.clone()));
        let error = words(fetched("redirect", &client).0);
        assert!(error.contains("redirects to"), "{to}: {error}");
    }
    assert_eq!(elsewhere.asked().len(), 0);
    registry.quirk(&path, ALWAYS, Quirk::Redirect(path.clone()));
    assert!(words(fetched("redirect", &client).0).contains("more than 5 times"));
}

#[test]
fn lists_that_are_too_long_or_too_deep_are_refused() {
    let registry = Registry::start();
    let client = client(&registry);
    let path = "/api/models/o/r/revision/main";
    registry.put(path, vec![b' '; (16 << 20) + 1]);
    assert!(words(found(&client, "hf:o/r")).contains("more than 16777216 bytes"));
    registry.put(path, "[".repeat(100_000).into_bytes());
    assert!(words(found(&client, "hf:o/r")).contains("cannot be read"));
    registry.put(path, b"{\"sha\": \"../../x\"}".to_vec());
    assert!(words(found(&client, "hf:o/r")).contains("commit"));
    registry.quirk(path, ALWAYS, Quirk::Endless);
    assert!(words(found(&client, "hf:o/r")).contains("more than"));
}

#[test]
fn names_of_files_that_lead_elsewhere_are_refused() {
    for name in ["../m.gguf", "a/../../m.gguf", "/m.gguf", "a\0.gguf", "a\\m.gguf", "con.gguf"] {
        let registry = Registry::start();
        let file = ApiFile { path: name, bytes: b"x".to_vec(), is_large: true };
        registry.hub("o/r", COMMIT, &[file]);
        let error = words(found(&client(&registry), "hf:o/r"));
        assert!(error.contains("is refused"), "{name:?}: {error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named() {
    let (registry, _) = hub(&noise(8 * PIECE as usize, 19));
    let client = client(&registry);
    let wanted = only_file(&client, "hf:o/r");
    let partial = folder("full").join("x");
    // A device on which every write fails for want of room.
    std::os::unix::fs::symlink("/dev/full", &partial).unwrap();
    let error = words(download(&client, &wanted, &partial, &go_on));
    assert!(error.contains("the disk is full"), "{error}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let (registry, path) = hub(b"x");
    let client = client(&registry);
    let wanted = only_file(&client, "hf:o/r");
    let partial = folder("nowhere").join("a/b/x");
    let error = words(download(&client, &wanted, &partial, &go_on));
    assert!(error.contains(&partial.display().to_string()), "{error}");
    assert_eq!(registry.asked_of(&path).len(), 0);
}

#[test]
fn stopping_is_quick_and_what_came_stays() {
    let bytes = noise(64 * PIECE as usize, 20);
    let (registry, path) = hub(&bytes);
    registry.quirk(&path, 40, Quirk::Slow(Duration::from_millis(5)));
    registry.quirk(&path, 4, Quirk::Stall(100, Duration::from_secs(20)));
    let slow = Options { stall: Duration::from_secs(30), ..options(&registry) };
    let patient = Client::new(slow).unwrap();
    let wanted = only_file(&patient, "hf:o/r");
    let partial = folder("stop").join("x");
    let begin = Instant::now();
    let stopped = Mutex::new(None);
    let result = download(&patient, &wanted, &partial, &|progress| {
        if progress.done < 40 * PIECE || begin.elapsed() < Duration::from_millis(300) {
            return ControlFlow::Continue(());
        }
        stopped.lock().unwrap().get_or_insert_with(Instant::now);
        ControlFlow::Break(())
    });
    assert!(matches!(result, Err(Error::Stopped)));
    let took = stopped.into_inner().unwrap().unwrap().elapsed();
    assert!(took < Duration::from_millis(1000), "{took:?}");
    registry.forget();
    let again = client(&registry);
    assert_eq!(download(&again, &wanted, &partial, &go_on).unwrap(), Digest::of(&bytes));
    let sent: u64 = registry.asked_of(&path).iter().map(|a| a.sent.end - a.sent.start).sum();
    assert!(sent <= 24 * PIECE, "{sent} were sent again");
    // A pause is ended as well.
    let later = vec![("Retry-After", "60".to_owned())];
    registry.quirk(&path, ALWAYS, Quirk::Status(429, later));
    let patient = Options { longest_pause: Duration::from_secs(60), ..options(&registry) };
    let patient = Client::new(patient).unwrap();
    let begin = Instant::now();
    let result = download(&patient, &wanted, &partial.with_extension("2"), &|_| {
        let is_early = begin.elapsed() < Duration::from_millis(100);
        if is_early { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert!(matches!(result, Err(Error::Stopped)));
    assert!(begin.elapsed() < Duration::from_secs(5));
}

/// On Linux a full queue leaves those who call waiting.
#[cfg(target_os = "linux")]
#[test]
fn who_does_not_pick_up_does_not_hold_up_the_end() {
    let deaf = registry::Deaf::start();
    let registry = Registry::start();
    let client = client(&registry);
    let source = format!("http://{}/m.gguf", deaf.address).parse().unwrap();
    let begin = Instant::now();
    let result = find(&client, &source, &|_| {
        let is_early = begin.elapsed() < Duration::from_millis(300);
        if is_early { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert!(matches!(result, Err(Error::Stopped)));
    let took = begin.elapsed();
    assert!(took > Duration::from_millis(300) && took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn nobody_at_home_is_said_after_some_tries() {
    let (registry, _) = hub(b"x");
    let settings = options(&registry);
    drop(registry);
    std::thread::sleep(Duration::from_millis(50));
    let error = words(found(&Client::new(settings).unwrap(), "hf:o/r"));
    assert!(error.contains("tried 5 times"), "{error}");
}
