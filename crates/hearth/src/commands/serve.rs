//! `hearth serve`: models behind an address, for the clients that people have.

use core::net::SocketAddr;
use std::io::{Write, stdout};
use std::sync::Arc;
use std::time::Duration;

use api::{Access, Door, Options};
use engine::{Policy, Room, Settings};
use tokio::runtime::Runtime;

use crate::failure::Failure;
use crate::fit::Checked;
use crate::flags::Serve as Flags;
use crate::house::{House, Running};
use crate::keys::KeyFile;
use crate::models::Model;
use crate::tls::Files;
use crate::{access, load, log, memory, output};

/// How long who asks for a model waits for others to make room.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long the ends of replies may take to be read once the last turn is over.
const LAST_WORDS: Duration = Duration::from_secs(5);

pub fn serve(flags: &Flags) -> Result<(), Failure> {
    let _log = log::start(&flags.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // Most of them wait for a model.
        .max_blocking_threads(2048)
        .enable_all()
        .build()?;
    let ended = serve_on(&runtime, flags);
    // Who still loads a model or reads a prompt does it for nobody.
    runtime.shutdown_background();
    ended
}

fn serve_on(runtime: &Runtime, flags: &Flags) -> Result<(), Failure> {
    let access = access::access(flags, &KeyFile::of_user()?)?;
    let address = SocketAddr::from((flags.host, flags.port));
    let certificate = Files::of(flags)?;
    let tls = certificate.as_ref().map(Files::read).transpose()?;
    let (settings, checked) = (load::settings(&flags.machine)?, Checked::of(&flags.machine));
    let models = models(flags, (settings, checked))?;
    let running = running(flags, &models, (settings, checked))?;
    // Before models are loaded: who cannot listen should hear it at once.
    let door = runtime.block_on(Door::open(address)).map_err(|error| {
        let way_out = "--port chooses another address";
        Failure::Machine(format!("cannot listen on {address}: {error}; {way_out}"))
    })?;
    let door = match (certificate, tls) {
        (Some(files), Some(tls)) => {
            runtime.spawn(files.watch(tls.clone()));
            door.with(tls)
        }
        _ => door,
    };
    let bytes = memory::available().filter(|_| checked.refuses).unwrap_or(u64::MAX);
    let room = Room { bytes, patience: PATIENCE };
    let house = House::new(Arc::clone(&models), running, (room, runtime.handle().clone()))?;
    let (address, encrypted) = (door.address()?, door.is_encrypted());
    let drain = Duration::from_secs(flags.drain.into());
    let serving = runtime.spawn(listen(door, access.clone(), (house.clone(), drain)));
    // Whoever asks meanwhile waits for it.
    if let Err(fault) = house.warm(&models[0].name) {
        // Somebody may have told it to stop before the model was there.
        return if house.is_stopping() { Ok(()) } else { Err(fault.into()) };
    }
    greet((address, encrypted), &access, (&models, running))?;
    let started = [
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("address", address.to_string().into()),
        ("encrypted", encrypted.into()),
        ("needs_key", access::is_closed(&access).into()),
        ("models", models.iter().map(|model| &model.name[..]).collect()),
    ];
    log::info("started", &started);
    let ended = runtime.block_on(serving);
    house.stop(drain);
    log::info("stopped", &[]);
    ended.map_err(|_| Failure::Machine("the server itself has failed".to_owned()))
}

/// The models, no two of one name.
fn models(flags: &Flags, how: (Settings, Checked)) -> Result<Arc<[Model]>, Failure> {
    let policy = policy(flags);
    let models = flags.models.iter().map(|given| Model::open(given, how, policy));
    let mut models = models.collect::<Result<Vec<_>, _>>()?;
    let first = models.first().map(|model| model.name.clone());
    models.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(twice) = models.windows(2).find(|two| two[0].name == two[1].name) {
        let message = format!("two models are called {}; name them: NAME=PATH", twice[0].name);
        return Err(Failure::Request(message));
    }
    // The one that was named first is brought into memory.
    let at = models.iter().position(|model| Some(&model.name) == first.as_ref()).unwrap_or(0);
    models.rotate_left(at);
    Ok(models.into())
}

fn policy(flags: &Flags) -> Policy {
    Policy {
        waiting: flags.waiting as usize,
        reply: flags.answer_tokens as usize,
        time: flags.answer_seconds.map(|time| Duration::from_secs(time.into())),
        ..load::policy(&flags.machine, flags.parallel)
    }
}

fn running(
    flags: &Flags,
    models: &[Model],
    (settings, checked): (Settings, Checked),
) -> Result<Running, Failure> {
    // Half of what the weights leave, and for each model its part of that, so that they do not
    // drive each other out. Models that do not fit together must do so anyway.
    let fixed: u64 = models.iter().map(|model| model.fixed).sum();
    let largest = models.iter().map(|model| model.fixed).max().unwrap_or(0);
    let part = |free: u64| match free.checked_sub(fixed) {
        Some(left) => left / 2 / models.len().max(1) as u64,
        None => free.saturating_sub(largest) / 2,
    };
    // Whoever asks the first model in the plainest way is to be answered.
    let usual = models.first().map_or(0, |model| model.usual);
    let at_least = |free: u64| usual.min(free.saturating_sub(largest));
    let kept = match flags.cache {
        None => memory::available().map_or(u64::MAX, |free| part(free).max(at_least(free))),
        Some(gib) => {
            let bytes = (f64::from(gib) * f64::from(1 << 30)) as u64;
            if bytes < usual {
                let message = format!(
                    "--cache {gib} is too little: a conversation with {} takes {}, its answer of \
                     {} tokens included; --answer-tokens makes that fewer",
                    models[0].name,
                    output::size(usual),
                    flags.answer_tokens
                );
                return Err(Failure::Request(message));
            }
            bytes
        }
    };
    let keep = flags.keep_alive.map(|time| Duration::from_secs(time.into()));
    Ok(Running { settings, checked, policy: policy(flags), kept, keep })
}

/// Says where it listens, what can be asked, how, and what is not protected.
fn greet(
    (address, encrypted): (SocketAddr, bool),
    access: &Access,
    (models, running): (&[Model], Running),
) -> Result<(), Failure> {
    let mut out = stdout();
    let scheme = if encrypted { "https" } else { "http" };
    writeln!(out, "hearth listens on {scheme}://{address}\n")?;
    let width = models.iter().map(|model| model.name.len()).max().unwrap_or(0).max(5);
    writeln!(out, "  {:<width$}  {:>9}  {:>9}  {:>9}", "model", "context", "weights", "cache")?;
    for model in models {
        let weights = output::size(model.weights);
        let kept = output::size(running.kept_by(model));
        writeln!(out, "  {:<width$}  {:>9}  {weights:>9}  {kept:>9}", model.name, model.context)?;
    }
    let name = &models[0].name;
    let together = running.policy.together;
    writeln!(
        out,
        "\n  {together} answers at once; the cache is for what is kept of conversations\n"
    )?;
    let body =
        format!(r#"{{"model": "{name}", "messages": [{{"role": "user", "content": "Hello"}}]}}"#);
    let (header, key) = match access::is_closed(access) {
        true => (" -H \"authorization: Bearer $KEY\"", "hearth-…"),
        false => ("", "none"),
    };
    let base = match address.ip().is_unspecified() {
        true => format!("{scheme}://localhost:{}", address.port()),
        false => format!("{scheme}://{address}"),
    };
    writeln!(out, "  curl {base}/v1/chat/completions{header} -d '{body}'")?;
    writeln!(out, "  openai.OpenAI(base_url=\"{base}/v1\", api_key=\"{key}\")")?;
    writeln!(out, "  Anthropic's and Ollama's clients: {base}\n")?;
    writeln!(out, "{}", access::described(access, address, encrypted))?;
    Ok(out.flush()?)
}

/// Answers until it is told to stop.
async fn listen(door: Door, access: Access, (house, drain): (House, Duration)) {
    let options = Options { witness: Some(Arc::new(log::Requests)), ..Options::default() };
    let router = api::router(Arc::new(house.clone()), access, options);
    let told = async move {
        asked_to_stop().await;
        log::info("stopping: what was asked is finished; once more ends it at once", &[]);
        // Turns end within this time, and their connections with them.
        tokio::task::spawn_blocking(move || house.stop(drain));
        tokio::spawn(async {
            asked_to_stop().await;
            std::process::exit(130);
        });
        // The first model may be loading all the while.
        tokio::spawn(async move {
            tokio::time::sleep(drain + 2 * LAST_WORDS).await;
            log::info("stopped", &[]);
            // It waits for the last lines, which the end of the process would not.
            drop(log::Running);
            std::process::exit(0);
        });
    };
    door.serve(router, (told, drain.saturating_add(LAST_WORDS))).await;
}

/// Ctrl-C, or what services are ended by.
async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
