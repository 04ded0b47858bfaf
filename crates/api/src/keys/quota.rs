//! How much may be asked with a key: requests and tokens per minute, and requests at once. Clocks
//! are the caller's.

use std::fmt;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// What a key may use; nothing stated is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Requests, saved up for a minute at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<NonZeroU32>,
    /// Tokens of prompts and replies together, saved up for a minute at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<NonZeroU32>,
    /// Requests that run at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent: Option<NonZeroU32>,
}

impl Quota {
    /// Whether it limits nothing.
    pub fn is_unlimited(&self) -> bool {
        *self == Quota::default()
    }
}

/// Which limit a request exceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Requests per minute.
    Requests(NonZeroU32),
    /// Tokens per minute.
    Tokens(NonZeroU32),
    /// Requests at once.
    Concurrent(NonZeroU32),
}

/// A limit that a request exceeds, and when to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excess {
    /// The limit.
    pub limit: Limit,
    /// How long it lasts if nothing else is asked. For requests at once nobody knows; then it is
    /// when asking again is worth it.
    pub wait: Duration,
}

impl Excess {
    /// The whole seconds after which to come back.
    pub fn seconds(&self) -> u64 {
        self.wait.as_nanos().div_ceil(1_000_000_000).max(1) as u64
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.limit {
            Limit::Requests(limit) => write!(f, "this key may send {limit} requests per minute")?,
            Limit::Tokens(limit) => write!(f, "this key may use {limit} tokens per minute")?,
            Limit::Concurrent(limit) => write!(f, "this key may send {limit} requests at once")?,
        }
        write!(f, "; come back in {} s", self.seconds())
    }
}

/// Whoever asks again after this may find that a request has ended.
const A_WHILE: Duration = Duration::from_secs(1);

/// What is left of a quota.
#[derive(Clone, Debug)]
pub struct Meter {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    concurrent: Option<NonZeroU32>,
    running: u32,
}

impl Meter {
    /// A quota that nothing has been used of.
    pub fn new(quota: &Quota, now: Instant) -> Meter {
        let bucket = |rate: Option<NonZeroU32>| rate.map(|rate| Bucket::full(rate, now));
        Meter {
            requests: bucket(quota.requests_per_minute),
            tokens: bucket(quota.tokens_per_minute),
            concurrent: quota.concurrent,
            running: 0,
        }
    }

    /// Lets a request in, which runs until [`leave`](Meter::leave).
    ///
    /// # Errors
    /// The limit that lasts longest. Then nothing is used up.
    pub fn enter(&mut self, now: Instant) -> Result<(), Excess> {
        let (requests, tokens) = (&mut self.requests, &mut self.tokens);
        let lacks = [
            requests.as_mut().and_then(|requests| requests.lacks(1, now, Limit::Requests)),
            // How many it will use shows at its end; debts are paid before the next.
            tokens.as_mut().and_then(|tokens| tokens.lacks(0, now, Limit::Tokens)),
            self.crowded(),
        ];
        if let Some(excess) = lacks.into_iter().flatten().max_by_key(|excess| excess.wait) {
            return Err(excess);
        }
        self.running += 1;
        if let Some(requests) = &mut self.requests {
            requests.take(1, now);
        }
        Ok(())
    }

    /// A request that was let in has ended.
    pub fn leave(&mut self) {
        self.running -= 1;
    }

    /// Takes tokens that were used, however many are left.
    pub fn spend(&mut self, tokens: u64, now: Instant) {
        if let Some(bucket) = &mut self.tokens {
            bucket.take(tokens, now);
        }
    }

    fn crowded(&self) -> Option<Excess> {
        let limit = self.concurrent.filter(|limit| self.running >= limit.get())?;
        Some(Excess { limit: Limit::Concurrent(limit), wait: A_WHILE })
    }
}

/// What one is made of: at a rate of `n` per minute, `n` of these come each nanosecond, so that all
/// is counted in whole numbers.
const ONE: i128 = 60_000_000_000;

/// So many per minute, saved up for a minute at most.
#[derive(Clone, Debug)]
struct Bucket {
    rate: NonZeroU32,
    /// Below zero it is in debt.
    level: i128,
    /// When that was so.
    at: Instant,
}

impl Bucket {
    fn full(rate: NonZeroU32, now: Instant) -> Bucket {
        Bucket { rate, level: i128::from(rate.get()) * ONE, at: now }
    }

    fn fill(&mut self, now: Instant) {
        let rate = i128::from(self.rate.get());
        let passed = now.saturating_duration_since(self.at).as_nanos() as i128;
        self.level = (self.level + passed * rate).min(rate * ONE);
        self.at = self.at.max(now);
    }

    /// That there is not as much as this.
    fn lacks(
        &mut self,
        count: u64,
        now: Instant,
        limit: fn(NonZeroU32) -> Limit,
    ) -> Option<Excess> {
        self.fill(now);
        let missing =
            u128::try_from(i128::from(count) * ONE - self.level).ok().filter(|n| *n > 0)?;
        let nanos = missing.div_ceil(u128::from(self.rate.get()));
        Some(Excess { limit: limit(self.rate), wait: Duration::from_nanos_u128(nanos) })
    }

    fn take(&mut self, count: u64, now: Instant) {
        self.fill(now);
        self.level -= i128::from(count) * ONE;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn meter(requests: u32, tokens: u32, concurrent: u32) -> (Meter, Instant) {
        let [requests_per_minute, tokens_per_minute, concurrent] =
            [requests, tokens, concurrent].map(NonZeroU32::new);
        let now = Instant::now();
        (Meter::new(&Quota { requests_per_minute, tokens_per_minute, concurrent }, now), now)
    }

    fn said(entered: Result<(), Excess>) -> String {
        entered.map_or_else(|excess| excess.to_string(), |()| String::new())
    }

    #[test]
    fn requests_are_saved_up_for_a_minute() {
        let (mut meter, start) = meter(3, 0, 0);
        let enter = |meter: &mut Meter, seconds: f64| {
            said(meter.enter(start + Duration::from_secs_f64(seconds)))
        };
        for _ in 0..3 {
            assert_eq!(enter(&mut meter, 0.0), "");
        }
        let wait =
            |seconds| format!("this key may send 3 requests per minute; come back in {seconds} s");
        assert_eq!(enter(&mut meter, 0.0), wait(20));
        assert_eq!(enter(&mut meter, 18.5), wait(2));
        assert_eq!(enter(&mut meter, 20.0), "");
        assert_eq!(enter(&mut meter, 20.0), wait(20));
        for _ in 0..3 {
            assert_eq!(enter(&mut meter, 3600.0), "");
        }
        assert_eq!(enter(&mut meter, 3600.0), wait(20));
        // A clock that seems to go back gives nothing.
        assert_eq!(enter(&mut meter, 0.0), wait(20));
    }

    #[test]
    fn tokens_are_paid_for_before_the_next_request() {
        let (mut meter, start) = meter(0, 600, 0);
        let after = |seconds| start + Duration::from_secs(seconds);
        meter.enter(start).unwrap();
        meter.spend(600, start);
        // Nothing is left, and nothing is owed.
        meter.enter(start).unwrap();
        meter.spend(50, start);
        let text = "this key may use 600 tokens per minute; come back in 5 s";
        assert_eq!(said(meter.enter(start)), text);
        assert_eq!(said(meter.enter(after(4))), text.replace("5 s", "1 s"));
        assert_eq!(said(meter.enter(after(5))), "");
    }

    #[test]
    fn who_leaves_makes_room() {
        let (mut meter, start) = meter(0, 0, 2);
        meter.enter(start).unwrap();
        meter.enter(start).unwrap();
        let text = "this key may send 2 requests at once; come back in 1 s";
        assert_eq!(said(meter.enter(start)), text);
        meter.leave();
        assert_eq!(said(meter.enter(start)), "");
    }

    proptest! {
        /// However requests come, no more than a minute's worth and what has come since get in;
        /// who is refused gets in after the time that was named, and not a nanosecond sooner.
        #[test]
        fn refusals_are_exact(
            (requests, tokens) in (1_u32..100, 1_u32..100_000),
            steps in prop::collection::vec((0_u64..20_000_000_000, 0_u64..200_000), 1..60),
        ) {
            let (mut meter, start) = meter(requests, tokens, 0);
            let (mut now, mut entered) = (start, 0_u32);
            for (pause, spent) in steps {
                now += Duration::from_nanos(pause);
                match meter.clone().enter(now) {
                    Ok(()) => {
                        meter.enter(now).unwrap();
                        entered += 1;
                        meter.spend(spent, now);
                    }
                    Err(excess) => {
                        let just_before = now + (excess.wait - Duration::from_nanos(1));
                        prop_assert!(meter.clone().enter(just_before).is_err());
                        prop_assert!(meter.clone().enter(now + excess.wait).is_ok());
                        let seconds = Duration::from_secs(excess.seconds());
                        prop_assert!(meter.clone().enter(now + seconds).is_ok());
                    }
                }
                let minutes = (now - start).as_secs_f64() / 60.0;
                prop_assert!(f64::from(entered) <= f64::from(requests) * (1.0 + minutes) + 1e-6);
            }
        }
    }
}
