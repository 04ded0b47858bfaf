//! The certificate of a server: two files, which are read again when the server is told SIGHUP.

use std::fs;
use std::path::{Path, PathBuf};

use api::Tls;

use crate::failure::Failure;
use crate::flags::Serve as Flags;

/// Where a certificate and its key are.
pub struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    /// Those that the flags name; none for plain HTTP.
    pub fn of(flags: &Flags) -> Result<Option<Files>, Failure> {
        match (&flags.tls_cert, &flags.tls_key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                Ok(Some(Files { certificate: certificate.clone(), key: key.clone() }))
            }
            _ => {
                let message = "HTTPS needs both: --tls-cert for the certificate, --tls-key its key";
                Err(Failure::Request(message.to_owned()))
            }
        }
    }

    /// What they say.
    pub fn read(&self) -> Result<Tls, Failure> {
        let (certificate, key) = self.bytes().map_err(Failure::Request)?;
        Tls::new(&certificate, &key).map_err(|why| Failure::Request(self.wrong(&why)))
    }

    #[cfg(unix)]
    fn renew(&self, tls: &Tls) -> Result<(), String> {
        let (certificate, key) = self.bytes()?;
        tls.renew(&certificate, &key).map_err(|why| self.wrong(&why))
    }

    fn bytes(&self) -> Result<(Vec<u8>, Vec<u8>), String> {
        let read = |flag: &str, path: &Path| {
            fs::read(path)
                .map_err(|error| format!("cannot read {flag} {}: {error}", path.display()))
        };
        Ok((read("--tls-cert", &self.certificate)?, read("--tls-key", &self.key)?))
    }

    fn wrong(&self, why: &str) -> String {
        format!(
            "--tls-cert {}, --tls-key {}: {why}",
            self.certificate.display(),
            self.key.display()
        )
    }

    /// Reads them again whenever that is asked for. What is wrong then changes nothing.
    #[cfg(unix)]
    pub async fn watch(self, tls: Tls) {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut told) = signal(SignalKind::hangup()) else { return };
        while told.recv().await.is_some() {
            match self.renew(&tls) {
                Ok(()) => crate::log::info("certificate renewed", &[]),
                Err(why) => {
                    let fields = [("error", why.into())];
                    crate::log::error(
                        "the certificate cannot be renewed; the old one stays",
                        &fields,
                    );
                }
            }
        }
    }

    /// Here nothing tells a server to.
    #[cfg(not(unix))]
    pub async fn watch(self, _: Tls) {}
}
