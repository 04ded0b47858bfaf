//! Fake models on a shelf: what is loaded, what goes for whom, and a simulation with threads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;

use turn::Retry;

use super::*;

/// What happens outside of the shelf.
#[derive(Default)]
struct World {
    seen: Mutex<Seen>,
    /// Names that panic or fail when they are loaded.
    broken: Mutex<BTreeSet<String>>,
    /// Names whose loads do not end, and with a minus those that do not stop.
    held: Mutex<BTreeSet<String>>,
    limit: u64,
    millis: AtomicU64,
}

#[derive(Default)]
struct Seen {
    /// What was loaded and what ended, in order.
    log: Vec<String>,
    /// Bytes of all models that are loaded or being loaded.
    bytes: u64,
    loading: BTreeMap<String, usize>,
    stopped: usize,
    /// What must not be; a panic in here would be taken for a damaged file.
    wrong: Vec<String>,
}

struct Fake {
    name: String,
    world: Arc<World>,
    is_alive: AtomicBool,
    is_stopped: AtomicBool,
}

/// The size of a model is in its name: `a.30`.
fn size(name: &str) -> u64 {
    name.rsplit('.').next().unwrap().parse().unwrap()
}

impl World {
    fn begin(&self, name: &str) {
        let mut seen = self.seen.lock().unwrap();
        seen.log.push(format!("+{name}"));
        seen.bytes += size(name);
        let loads = seen.loading.entry(name.to_owned()).or_default();
        *loads += 1;
        if *loads > 1 {
            seen.wrong.push(format!("two loads of {name} at once"));
        }
        if seen.bytes > self.limit {
            let message = format!("{} of {} bytes for {name}", seen.bytes, self.limit);
            seen.wrong.push(message);
        }
    }

    fn wait(&self, name: &str) {
        while self.held.lock().unwrap().contains(name) {
            thread::sleep(Duration::from_micros(200));
        }
    }

    fn end(&self, name: &str, is_loaded: bool) {
        let mut seen = self.seen.lock().unwrap();
        *seen.loading.get_mut(name).unwrap() -= 1;
        seen.bytes -= if is_loaded { 0 } else { size(name) };
    }
}

/// The library of a world.
struct Shop(Arc<World>);

impl Library<Fake> for Shop {
    fn size(&self, name: &str) -> Result<u64, Fault> {
        assert!(!name.starts_with("unmeasured"), "on purpose");
        Ok(size(name))
    }

    fn load(&self, name: &str) -> Result<Fake, Fault> {
        let Shop(world) = self;
        world.begin(name);
        world.wait(name);
        // The system has less than the shelf counts on.
        let is_tight = name.starts_with("tight") && world.seen.lock().unwrap().bytes > size(name);
        let is_broken = is_tight || world.broken.lock().unwrap().contains(name);
        world.end(name, !is_broken);
        if is_broken && name.starts_with("panic") {
            // A panic that prints nothing.
            std::panic::resume_unwind(Box::new("on purpose"));
        }
        match is_broken {
            true if is_tight => {
                Err(Fault { kind: Kind::NoRoom, ..Fault::new(Side::Us, "no room") })
            }
            true => Err(Fault::new(Side::Us, "broken on purpose")),
            false => Ok(Fake {
                name: name.to_owned(),
                world: Arc::clone(world),
                is_alive: AtomicBool::new(true),
                is_stopped: AtomicBool::new(false),
            }),
        }
    }
}

impl Shelved for Fake {
    fn is_alive(&self) -> bool {
        self.is_alive.load(Ordering::Relaxed)
    }

    fn stop(&self, _: Duration) {
        self.world.wait(&format!("-{}", self.name));
        self.is_stopped.store(true, Ordering::Relaxed);
        self.world.seen.lock().unwrap().stopped += 1;
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let mut seen = self.world.seen.lock().unwrap();
        if !self.is_stopped.load(Ordering::Relaxed) {
            seen.wrong.push(format!("{} was not stopped", self.name));
        }
        seen.log.push(format!("-{}", self.name));
        seen.bytes -= size(&self.name);
    }
}

/// A shelf in a world with its own time.
struct Scene {
    shelf: Shelf<Fake>,
    world: Arc<World>,
}

const PATIENCE: Duration = Duration::from_secs(10);
const EVER: Option<Duration> = None;

impl Scene {
    fn new(limit: u64) -> Scene {
        let world = Arc::new(World { limit, ..World::default() });
        let (shop, time) = (Box::new(Shop(Arc::clone(&world))), Arc::clone(&world));
        let clock = Box::new(move || Duration::from_millis(time.millis.load(Ordering::SeqCst)));
        let room = Room { bytes: limit, patience: PATIENCE };
        Scene { shelf: Shelf::with_clock(shop, room, clock).unwrap(), world }
    }

    fn pass(&self, time: Duration) {
        self.world.millis.fetch_add(time.as_millis() as u64, Ordering::SeqCst);
        self.shelf.shared.tell();
    }

    fn log(&self) -> String {
        self.world.seen.lock().unwrap().log.join(" ")
    }

    /// Waits until so much has been loaded and ended.
    fn until(&self, log: &str) {
        eventually(|| self.log() == log, || format!("{log:?} is awaited, {:?} is", self.log()));
    }

    fn until_counts(&self, counts: (usize, usize)) {
        let now = || self.shelf.shared.lock().counts();
        eventually(|| now() == counts, || format!("{counts:?} are awaited, {:?} are", now()));
    }

    fn hold(&self, name: &str) {
        self.world.held.lock().unwrap().insert(name.to_owned());
    }

    fn let_go(&self, name: &str) {
        self.world.held.lock().unwrap().remove(name);
    }

    fn take(&self, name: &str) -> Lease<Fake> {
        self.shelf.take(name, EVER).unwrap()
    }

    /// Takes and gives back.
    fn touch(&self, name: &str) {
        drop(self.take(name));
    }

    fn left(&self, name: &str) -> Option<Duration> {
        self.shelf.list().into_iter().find(|listed| listed.name == name).unwrap().left
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.shelf.stop(Duration::ZERO);
        if !thread::panicking() {
            assert_eq!(self.world.seen.lock().unwrap().wrong, [""; 0]);
        }
    }
}

fn eventually(is_so: impl Fn() -> bool, message: impl Fn() -> String) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", message());
        thread::sleep(Duration::from_micros(100));
    }
}

fn fault(taken: Result<Lease<Fake>, Fault>) -> Fault {
    taken.err().expect("a fault")
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn many_ask_at_once_and_one_loads() {
    let scene = Scene::new(100);
    scene.hold("a.60");
    thread::scope(|scope| {
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(|| scene.take("a.60"))).collect();
        eventually(|| scene.shelf.list().iter().any(|a| a.users == 8), || "eight wait".into());
        assert!(scene.shelf.list()[0].is_loading);
        scene.let_go("a.60");
        for lease in asked {
            assert_eq!(lease.join().unwrap().name, "a.60");
        }
    });
    assert_eq!(scene.log(), "+a.60");
}

#[test]
fn a_load_that_fails_or_panics_fails_for_all_who_wait_and_is_tried_again() {
    for name in ["broken.60", "panic.60"] {
        let scene = Scene::new(100);
        scene.hold(name);
        scene.world.broken.lock().unwrap().insert(name.to_owned());
        thread::scope(|scope| {
            let ask = || fault(scene.shelf.take(name, EVER)).message;
            let asked: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            eventually(|| scene.shelf.list().iter().any(|a| a.users == 8), || "eight wait".into());
            scene.let_go(name);
            for message in asked {
                let message = message.join().unwrap();
                assert!(message.contains("on purpose") || message.contains("failed; see the log"));
            }
        });
        assert_eq!(scene.shelf.list(), []);
        scene.world.broken.lock().unwrap().clear();
        assert_eq!(scene.take(name).name, name);
        assert_eq!(scene.log(), format!("+{name} +{name}"));
    }
}

#[test]
fn what_nobody_uses_goes_when_the_system_has_less_than_was_counted_on() {
    let scene = Scene::new(100);
    let used = scene.take("a.10");
    ["b.20", "c.20"].iter().for_each(|name| scene.touch(name));
    // One in use stays, and is in the way.
    assert_eq!(fault(scene.shelf.take("tight.20", EVER)).kind, Kind::NoRoom);
    let log = "+a.10 +b.20 +c.20 +tight.20 -b.20 +tight.20 -c.20 +tight.20";
    assert_eq!(scene.log(), log);
    drop(used);
    scene.touch("tight.20");
    assert_eq!(scene.log(), format!("{log} +tight.20 -a.10 +tight.20"));
}

#[test]
fn a_panic_while_a_model_is_measured_is_a_fault() {
    let scene = Scene::new(100);
    let message = fault(scene.shelf.take("unmeasured.1", EVER)).message;
    assert_eq!(message, "loading unmeasured.1 has failed; see the log");
    scene.touch("a.1");
}

#[test]
fn who_was_used_last_goes_last() {
    let scene = Scene::new(100);
    ["a.30", "b.30", "c.30"].iter().for_each(|name| scene.touch(name));
    scene.touch("a.30");
    scene.touch("d.30");
    assert_eq!(scene.log(), "+a.30 +b.30 +c.30 -b.30 +d.30");
    // Two have to go, and no third.
    scene.touch("e.60");
    assert_eq!(scene.log(), "+a.30 +b.30 +c.30 -b.30 +d.30 -c.30 -a.30 +e.60");
}

#[test]
fn a_model_in_use_stays() {
    let scene = Scene::new(100);
    // A clone is as good as the first.
    let first = scene.take("a.30").clone();
    ["b.30", "c.30", "d.30", "e.70"].iter().for_each(|name| scene.touch(name));
    assert_eq!(scene.log(), "+a.30 +b.30 +c.30 -b.30 +d.30 -c.30 -d.30 +e.70");
    assert!(!first.is_stopped.load(Ordering::Relaxed));
}

#[test]
fn who_waits_for_room_is_served_in_order() {
    let scene = Scene::new(100);
    let lease = scene.take("a.60");
    let order = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for (i, name) in ["b.70", "c.80", "a.60", "d.90"].into_iter().enumerate() {
            let (scene, order) = (&scene, &order);
            scope.spawn(move || {
                let lease = scene.take(name);
                order.lock().unwrap().push(name);
                assert!(!lease.is_stopped.load(Ordering::Relaxed));
            });
            // Who asks for a model that has to go has no slot of its own.
            scene.until_counts((if i < 2 { i + 2 } else { i + 1 }, i + 1));
        }
        drop(lease);
    });
    assert_eq!(*order.lock().unwrap(), ["b.70", "c.80", "a.60", "d.90"]);
    scene.until("+a.60 -a.60 +b.70 -b.70 +c.80 -c.80 +a.60 -a.60 +d.90");
}

/// A small one does not slip past a large one, even if there is room for it.
#[test]
fn who_is_first_is_not_passed_by() {
    let scene = Scene::new(100);
    let lease = scene.take("a.60");
    thread::scope(|scope| {
        scope.spawn(|| scene.touch("b.70"));
        scene.until_counts((2, 1));
        scope.spawn(|| scene.touch("c.10"));
        scene.until_counts((3, 2));
        thread::sleep(Duration::from_millis(5));
        assert_eq!(scene.log(), "+a.60");
        drop(lease);
    });
    // Then both have room, and load at once.
    assert!(scene.log().starts_with("+a.60 -a.60 +"), "{}", scene.log());
}

#[test]
fn nothing_goes_before_it_is_enough() {
    let scene = Scene::new(100);
    let lease = scene.take("a.60");
    scene.touch("b.40");
    thread::scope(|scope| {
        let large = scope.spawn(|| fault(scene.shelf.take("c.90", EVER)));
        scene.until_counts((3, 1));
        thread::sleep(Duration::from_millis(5));
        assert_eq!(scene.log(), "+a.60 +b.40");
        scene.pass(PATIENCE);
        let fault = large.join().unwrap();
        assert_eq!((fault.side, fault.retry), (Side::Us, Retry::Later));
        let message = "c.90 needs 90 B of memory, and 100 B of 100 B are in use; ask again later";
        assert_eq!(fault.message, message);
    });
    // What was promised is free again.
    scene.touch("b.40");
    drop(lease);
    scene.touch("a.60");
    assert_eq!(scene.log(), "+a.60 +b.40");
}

#[test]
fn no_second_goes_while_the_first_is_going() {
    let scene = Scene::new(100);
    ["a.50", "b.50"].iter().for_each(|name| scene.touch(name));
    scene.hold("-a.50");
    thread::scope(|scope| {
        scope.spawn(|| scene.touch("c.50"));
        let is_first_there = || scene.shelf.list().iter().any(|listed| listed.name == "a.50");
        eventually(|| !is_first_there(), || "the first goes".into());
        scene.pass(PATIENCE / 2);
        thread::sleep(Duration::from_millis(5));
        assert_eq!(scene.log(), "+a.50 +b.50");
        scene.let_go("-a.50");
    });
    assert_eq!(scene.log(), "+a.50 +b.50 -a.50 +c.50");
}

#[test]
fn who_waits_for_a_promised_model_gives_up_or_gets_it() {
    let scene = Scene::new(100);
    let lease = scene.take("a.60");
    thread::scope(|scope| {
        let large = scope.spawn(|| fault(scene.shelf.take("b.90", EVER)));
        scene.until_counts((2, 1));
        scene.pass(PATIENCE / 2);
        let early = scope.spawn(|| scene.touch("a.60"));
        scene.until_counts((2, 2));
        // The large one gives up, and leaves the other half of its patience to who came later.
        scene.pass(PATIENCE / 2);
        assert_eq!(large.join().unwrap().retry, Retry::Later);
        early.join().unwrap();

        let large = scope.spawn(|| scene.touch("b.90"));
        scene.until_counts((2, 1));
        drop(lease);
        large.join().unwrap();
    });
    scene.until("+a.60 -a.60 +b.90");
}

#[test]
fn what_can_never_fit_is_refused_at_once() {
    let scene = Scene::new(100);
    scene.touch("a.60");
    let fault = fault(scene.shelf.take("b.101", EVER));
    assert_eq!((fault.side, fault.retry), (Side::Us, Retry::No));
    let message = "b.101 needs 101 B of memory, and 100 B may be used by all models together";
    assert_eq!(fault.message, message);
    assert_eq!(scene.log(), "+a.60");
}

#[test]
fn two_loads_do_not_count_on_the_same_room() {
    let scene = Scene::new(100);
    scene.hold("a.60");
    thread::scope(|scope| {
        scope.spawn(|| scene.touch("a.60"));
        scene.until("+a.60");
        scope.spawn(|| scene.touch("b.60"));
        scene.until_counts((2, 1));
        thread::sleep(Duration::from_millis(5));
        assert_eq!(scene.log(), "+a.60");
        scene.let_go("a.60");
    });
    assert_eq!(scene.log(), "+a.60 -a.60 +b.60");
}

#[test]
fn models_are_kept_for_as_long_as_was_asked_last() {
    let scene = Scene::new(100);
    drop(scene.shelf.take("never.1", Some(Duration::ZERO)).unwrap());
    scene.until("+never.1 -never.1");
    drop(scene.shelf.take("some.2", Some(seconds(60))).unwrap());
    drop(scene.shelf.take("max.3", Some(Duration::MAX)).unwrap());
    scene.touch("ever.4");
    assert_eq!(scene.left("some.2"), Some(seconds(60)));
    scene.pass(seconds(59));
    assert_eq!((scene.left("some.2"), scene.left("ever.4")), (Some(seconds(1)), None));
    // Idle time counts from the end of the last lease.
    let lease = scene.shelf.take("some.2", Some(seconds(10))).unwrap();
    scene.pass(seconds(100));
    assert_eq!(scene.left("some.2"), Some(seconds(10)));
    drop(lease);
    scene.pass(seconds(9));
    thread::sleep(Duration::from_millis(5));
    assert_eq!(scene.shelf.list().len(), 3);
    scene.pass(seconds(1));
    scene.until("+never.1 -never.1 +some.2 +max.3 +ever.4 -some.2");
    scene.pass(seconds(1_000_000));
    thread::sleep(Duration::from_millis(5));
    assert_eq!(scene.shelf.list().len(), 2);
}

/// By the real clock, without anybody who wakes the keeper.
#[test]
fn models_go_by_themselves() {
    let world = Arc::new(World { limit: 100, ..World::default() });
    let room = Room { bytes: 100, patience: PATIENCE };
    let shelf = Shelf::new(Box::new(Shop(Arc::clone(&world))), room).unwrap();
    drop(shelf.take("a.1", Some(Duration::from_millis(20))).unwrap());
    assert_eq!(shelf.list().len(), 1);
    eventually(|| world.seen.lock().unwrap().bytes == 0, || "it stays".into());
}

#[test]
fn who_is_unloaded_in_use_stays_good_and_is_loaded_anew() {
    let scene = Scene::new(100);
    assert!(!scene.shelf.unload("a.40"));
    let first = scene.take("a.40");
    assert!(scene.shelf.unload("a.40"));
    assert!(!scene.shelf.unload("a.40"));
    assert_eq!(scene.left("a.40"), Some(Duration::ZERO));
    let second = scene.take("a.40");
    assert_eq!(scene.log(), "+a.40 +a.40");
    assert!(!first.is_stopped.load(Ordering::Relaxed));
    drop(first);
    scene.until("+a.40 +a.40 -a.40");
    assert!(!second.is_stopped.load(Ordering::Relaxed));
    drop(second);
    assert!(scene.shelf.unload("a.40"));
    scene.until("+a.40 +a.40 -a.40 -a.40");
}

#[test]
fn who_is_unloaded_while_it_loads_serves_those_who_wait() {
    let scene = Scene::new(100);
    scene.hold("a.40");
    thread::scope(|scope| {
        scope.spawn(|| scene.touch("a.40"));
        scene.until("+a.40");
        assert!(scene.shelf.unload("a.40"));
        scene.let_go("a.40");
    });
    scene.until("+a.40 -a.40");
}

#[test]
fn the_dead_are_loaded_anew() {
    let scene = Scene::new(100);
    let lease = scene.take("a.40");
    lease.is_alive.store(false, Ordering::Relaxed);
    let again = scene.take("a.40");
    assert!(again.is_alive.load(Ordering::Relaxed));
    drop(lease);
    scene.until("+a.40 +a.40 -a.40");
    // Nobody asks for this one again; it goes all the same.
    again.is_alive.store(false, Ordering::Relaxed);
    drop(again);
    scene.until("+a.40 +a.40 -a.40 -a.40");
}

#[test]
fn all_stop() {
    let scene = Scene::new(100);
    let lease = scene.take("a.40");
    scene.touch("b.40");
    scene.hold("c.20");
    thread::scope(|scope| {
        let late = scope.spawn(|| fault(scene.shelf.take("c.20", EVER)));
        scene.until("+a.40 +b.40 +c.20");
        let waits = scope.spawn(|| fault(scene.shelf.take("d.50", EVER)));
        scene.until_counts((4, 1));
        scene.shelf.stop(seconds(5));
        assert!(lease.is_stopped.load(Ordering::Relaxed));
        assert_eq!(scene.world.seen.lock().unwrap().stopped, 2);
        assert_eq!(waits.join().unwrap(), stopping());
        scene.let_go("c.20");
        assert_eq!(late.join().unwrap(), stopping());
    });
    assert_eq!(fault(scene.shelf.take("a.40", EVER)), stopping());
    drop(lease);
    assert_eq!(scene.world.seen.lock().unwrap().bytes, 0);
    scene.shelf.stop(Duration::ZERO);
    scene.until_counts((0, 0));
}

/// A panic inside the lock, which nobody should be able to cause.
#[test]
fn a_poisoned_lock_still_works() {
    let scene = Scene::new(100);
    thread::scope(|scope| {
        let spoil = || {
            let _slots = scene.shelf.shared.slots.lock().unwrap();
            panic!("on purpose");
        };
        assert!(scope.spawn(spoil).join().is_err());
    });
    assert!(scene.shelf.shared.slots.is_poisoned());
    scene.touch("a.60");
    scene.touch("b.60");
    scene.until("+a.60 -a.60 +b.60");
}

/// Numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % n
    }
}

/// How many takes ended how.
#[derive(Default)]
struct Ends {
    served: AtomicUsize,
    late: AtomicUsize,
    broken: AtomicUsize,
    never: AtomicUsize,
}

const NAMES: [&str; 8] =
    ["a.10", "b.20", "c.35", "d.50", "broken.25", "panic.15", "f.99", "large.101"];

/// What one of many users does.
fn act(scene: &Scene, random: &mut Random, ends: &Ends) {
    let name = NAMES[random.below(8) as usize];
    let keep = [None, Some(Duration::ZERO), Some(seconds(5))];
    match scene.shelf.take(name, keep[random.below(3) as usize]) {
        Ok(lease) => {
            ends.served.fetch_add(1, Ordering::Relaxed);
            assert_eq!(lease.name, name);
            thread::sleep(Duration::from_micros(random.below(600)));
            assert!(!lease.is_stopped.load(Ordering::Relaxed), "{name} has a lease");
            lease.is_alive.fetch_and(random.below(10) > 0, Ordering::Relaxed);
        }
        Err(Fault { retry: Retry::Later, .. }) => _ = ends.late.fetch_add(1, Ordering::Relaxed),
        Err(_) if name == "large.101" => _ = ends.never.fetch_add(1, Ordering::Relaxed),
        Err(_) => {
            assert!(name.starts_with("broken") || name.starts_with("panic"), "{name}");
            ends.broken.fetch_add(1, Ordering::Relaxed);
        }
    }
    if random.below(10) == 0 {
        scene.shelf.unload(NAMES[random.below(8) as usize]);
    }
    let mut broken = scene.world.broken.lock().unwrap();
    for name in ["broken.25", "panic.15"] {
        match random.below(6) {
            0 => _ = broken.insert(name.to_owned()),
            1..3 => _ = broken.remove(name),
            _ => {}
        }
    }
}

/// Time goes by in a hurry, so that some lose their patience.
fn hurry(scene: &Scene, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        scene.pass(PATIENCE / 4);
        thread::sleep(Duration::from_micros(500));
    }
}

#[test]
fn whatever_users_do_the_shelf_is_in_order() {
    let scene = Scene::new(100);
    let (ends, over) = (Ends::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| hurry(&scene, &over));
        let (scene, ends) = (&scene, &ends);
        let user = |seed| {
            move || {
                let (mut random, begun) = (Random(seed), Instant::now());
                while begun.elapsed() < Duration::from_millis(1200) {
                    act(scene, &mut random, ends);
                    scene.shelf.shared.lock().check();
                }
            }
        };
        let users: Vec<_> = (0..8).map(|seed| scope.spawn(user(seed))).collect();
        let fine: Vec<_> = users.into_iter().map(|user| user.join().is_ok()).collect();
        over.store(true, Ordering::Relaxed);
        assert_eq!(fine, [true; 8]);
    });
    for (how, count) in [
        ("served", &ends.served),
        ("late", &ends.late),
        ("broken", &ends.broken),
        ("never", &ends.never),
    ] {
        assert!(count.load(Ordering::Relaxed) > 10, "{how}: {count:?}");
    }
    scene.shelf.stop(Duration::ZERO);
    scene.until_counts((0, 0));
    let seen = scene.world.seen.lock().unwrap();
    assert_eq!((seen.bytes, &seen.wrong[..]), (0, &[][..]));
    assert!(seen.stopped > 100, "{} were loaded and stopped", seen.stopped);
}
