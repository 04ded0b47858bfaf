//! Child processes: the right cargo, a clean environment, and a limit on the time they take.

use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// The cargo that runs this program, started in `folder`.
///
/// What the outer cargo told this program about its own package is taken out, so that the inner one
/// sees the environment of an ordinary shell.
pub fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a child with this program's own output and demands that it succeeds.
pub fn succeed(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("{}: {status}", line(command))) }
}

/// Runs a child; when it is not done within the limit it is ended, and that is an error.
pub fn within(limit: Duration, command: &mut Command) -> Result<ExitStatus, String> {
    let mut child = command.spawn().map_err(|error| not_started(command, &error))?;
    wait(limit, &mut child)
        .unwrap_or_else(|| Err(format!("{}: not done after {} s", line(command), limit.as_secs())))
}

fn wait(limit: Duration, child: &mut Child) -> Option<Result<ExitStatus, String>> {
    let deadline = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(None) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(None) => {
                // Both can only fail when the child has ended by itself in the meantime.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
            Ok(Some(status)) => return Some(Ok(status)),
            Err(error) => return Some(Err(error.to_string())),
        }
    }
}

/// A command as somebody would type it.
pub fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    let mut words = vec![program.to_string_lossy()];
    words.extend(command.get_args().map(|word| word.to_string_lossy()));
    words.join(" ")
}

pub fn not_started(command: &Command, error: &std::io::Error) -> String {
    format!("{} could not be started: {error}", line(command))
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    #[test]
    fn a_line_reads_as_typed() {
        assert_eq!(line(Command::new("/a/b/cargo").args(["test", "-p", "x"])), "cargo test -p x");
    }

    #[test]
    fn a_child_that_takes_too_long_is_ended() {
        let mut version = Command::new("rustc");
        version.arg("--version").stdout(Stdio::null());
        assert!(within(Duration::from_secs(60), &mut version).unwrap().success());
        // A compiler that waits for its source for ever.
        let mut waiting = Command::new("rustc");
        waiting.arg("-").stdin(Stdio::piped());
        let refused = within(Duration::from_millis(50), &mut waiting).unwrap_err();
        assert_eq!(refused, "rustc -: not done after 0 s");
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        let refused = succeed(&mut Command::new("no-such-program-here"));
        assert!(refused.unwrap_err().contains("no-such-program-here could not be started"));
    }

    #[test]
    fn success_and_failure_of_a_child_are_told_apart() {
        let root = crate::repository_root();
        assert!(succeed(cargo(&root).arg("--version").stdout(Stdio::null())).is_ok());
        let mut refused = cargo(&root);
        refused.arg("no-such-command").stderr(Stdio::null());
        assert!(succeed(&mut refused).unwrap_err().starts_with("cargo no-such-command: "));
    }
}
