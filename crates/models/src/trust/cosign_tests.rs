//! Signatures in cosign's form, made with OpenSSL's arithmetic by Python's `cryptography`, and
//! those with a bit less right.

use std::fs;

use super::*;

const FILE: &[u8] = b"hearth signs models\n";
const KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELDTDpBWS3ai9ODOT1JcvDxVcypOQ\n\
    q6wZJcaZSpuQ6QXPy+z8sVuRt9vlJcKRBx9hBBY/twrNOOjXxF2md/Cz9g==\n\
    -----END PUBLIC KEY-----\n";
const P384: &str = "-----BEGIN PUBLIC KEY-----\n\
    MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEIJgsD4KeYMSD0SRsgnexJSb2TIV2EtO8\n\
    SNQ/bxZAdChg59ZluGmXvytLNqWhz4uAvAfUJFJD2rfjTm3QCn9US+u5DwUNdzkD\n\
    PY+xXzQ20IUKN3w7k8elIxPxNNnrQ/b1\n\
    -----END PUBLIC KEY-----\n";
const MANIFEST: &[u8] = b"{\"schemaVersion\":2}";
const PAYLOAD: &str = concat!(
    r#"{"critical":{"identity":{"docker-reference":"registry.firm.example/models/small"},"#,
    r#""image":{"docker-manifest-digest":"#,
    r#""sha256:bafebd36189ad3688b7b3915ea55d461e0bfcfbdde11e54b0a123999fb6be50f"},"#,
    r#""type":"cosign container image signature"},"optional":null}"#,
);
const OF_PAYLOAD: &str = "MEUCIHwyBUteP97NZIvGTc05uEfZZo0qdsmNpK0+ciLRVoEOAiEAw9cCAMiuqIsK\
    Ta4neRefi3GzgNd+DGQQTxBpuY4JenQ=";
const OF_FILE: &str = "MEUCICbXOzDAGtIcWwZPvva4b4ZGi0wmnGtlZInFWju1+egNAiEAlDCASmRWFmf5\
    Nlm21aD4i+xaUG0XayDvuhhGGZdX/WA=";

/// Every text that differs in one bit, where it is still a text.
fn changed(text: &str) -> impl Iterator<Item = String> + '_ {
    (0..text.len() * 8).filter_map(|at| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        String::from_utf8(bytes).ok()
    })
}

#[test]
fn an_artefact_is_checked() {
    let key = Key::parse(KEY).unwrap();
    assert_eq!(Key::parse(&KEY.replace('\n', "\r\n")), Ok(key.clone()));
    let signed = key.verify_artefact(Digest::of(MANIFEST), PAYLOAD.as_bytes(), OF_PAYLOAD).unwrap();
    assert_eq!(signed.comment.as_deref(), Some("registry.firm.example/models/small"));
    let name = "cosign sha256:74d3006a8079801bdaafd8c9733a2e0991fd53f9ac5ec9fddb843d5ea85d61e8";
    assert_eq!((&signed.by[..], &key.name()[..]), (name, name));
    let other =
        key.verify_artefact(Digest::of(b"another"), PAYLOAD.as_bytes(), OF_PAYLOAD).unwrap_err();
    assert!(matches!(other, Error::OtherArtefact { .. }), "{other:?}");
}

/// A signature that cosign itself has made, which sigstore-rs is tested with.
#[test]
fn a_signature_of_cosigns_own_is_known() {
    let key = "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENptdY/l3nB0yqkXLBWkZWQwo6+cu\n\
        OSWS1X9vPavpiQOoTTGC0xX57OojUadxF1cdQmrsiReWg2Wn4FneJfa8xw==\n\
        -----END PUBLIC KEY-----";
    let digest = "sha256:f3cfc9d0dbf931d3db4685ec659b7ac68e2a578219da4aae65427886e649b06b";
    let payload = concat!(
        r#"{"critical":{"identity":{"docker-reference":"registry-testing.svc.lan/busybox"},"#,
        r#""image":{"docker-manifest-digest":"#,
        r#""sha256:f3cfc9d0dbf931d3db4685ec659b7ac68e2a578219da4aae65427886e649b06b"},"#,
        r#""type":"cosign container image signature"},"optional":null}"#,
    );
    let signature = "MEUCIQD6q/COgzOyW0YH1Dk+CCYSt4uAhm3FDHUwvPI55zwn\
        lwIgE0ZK58ZOWpZw8YVmBapJhBqCfdPekIknimuO0xH8Jh8=";
    let key = Key::parse(key).unwrap();
    let signed = key.verify_artefact(digest.parse().unwrap(), payload.as_bytes(), signature);
    assert_eq!(signed.unwrap().comment.as_deref(), Some("registry-testing.svc.lan/busybox"));
}

#[test]
fn a_bit_is_enough_to_fail() {
    let (key, manifest) = (Key::parse(KEY).unwrap(), Digest::of(MANIFEST));
    for payload in changed(PAYLOAD) {
        let verified = key.verify_artefact(manifest, payload.as_bytes(), OF_PAYLOAD);
        assert!(matches!(verified, Err(Error::Mismatch)), "{payload}");
    }
    for signature in changed(OF_PAYLOAD) {
        assert!(key.verify_artefact(manifest, PAYLOAD.as_bytes(), &signature).is_err());
    }
    for key in changed(KEY).filter_map(|text| Key::parse(&text).ok()) {
        let verified = key.verify_artefact(manifest, PAYLOAD.as_bytes(), OF_PAYLOAD);
        assert!(verified.is_err(), "{key:?}");
    }
}

#[test]
fn a_file_is_checked() {
    let key = Key::parse(KEY).unwrap();
    let path = std::env::temp_dir().join(format!("hearth-cosign-{}", std::process::id()));
    fs::write(&path, FILE).unwrap();
    let signed = key.verify_file(&path, &format!("{OF_FILE}\n")).unwrap();
    assert_eq!(signed, Signed { by: key.name(), comment: None });
    for at in 0..FILE.len() * 8 {
        let mut bytes = FILE.to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        fs::write(&path, bytes).unwrap();
        assert!(matches!(key.verify_file(&path, OF_FILE), Err(Error::Mismatch)), "bit {at}");
    }
    fs::write(&path, b"").unwrap();
    assert!(matches!(key.verify_file(&path, OF_FILE), Err(Error::Mismatch)));
    fs::remove_file(&path).unwrap();
    assert!(matches!(key.verify_file(&path, OF_FILE), Err(Error::File(_))));
}

#[test]
fn a_signed_file_is_no_signed_artefact() {
    let key = Key::parse(KEY).unwrap();
    let error = key.verify_artefact(Digest::of(MANIFEST), FILE, OF_FILE).unwrap_err();
    assert!(matches!(error, Error::NoSignature { .. }), "{error:?}");
}

#[test]
fn other_keys_are_refused() {
    let twice = format!("{KEY}{KEY}");
    let private = KEY.replace("PUBLIC", "PRIVATE");
    for pem in ["", KEY.lines().nth(1).unwrap(), P384, &twice, &private] {
        assert!(Key::parse(pem).is_err(), "{pem}");
    }
}

#[test]
fn signatures_are_found_in_a_registry() {
    let manifest = Digest::of(MANIFEST);
    let hex = "bafebd36189ad3688b7b3915ea55d461e0bfcfbdde11e54b0a123999fb6be50f";
    assert_eq!(tag(manifest), format!("sha256-{hex}.sig"));
    let text = format!(
        r#"{{"schemaVersion":2,"config":{{}},"layers":[
            {{"mediaType":"{LAYER}","size":242,"digest":"{}",
              "annotations":{{"dev.cosignproject.cosign/signature":"{OF_PAYLOAD}"}}}},
            {{"mediaType":"{LAYER}","size":1,"digest":"{}"}},
            {{"mediaType":"text/plain","size":1,"digest":"{}","annotations":{{}}}}]}}"#,
        Digest::of(PAYLOAD.as_bytes()),
        Digest::of(b""),
        Digest::of(b"")
    );
    let found = attached(text.as_bytes()).unwrap();
    let payload = Digest::of(PAYLOAD.as_bytes());
    assert_eq!(found, [Attached { payload, bytes: 242, signature: OF_PAYLOAD.to_owned() }]);
    for end in 0..text.len() {
        assert!(attached(&text.as_bytes()[..end]).is_err());
    }
    let climbing = text.replace(&payload.to_string(), "sha256:../../etc/passwd");
    assert!(attached(climbing.as_bytes()).is_err());
}
