use super::*;

const KINDS: [Keeps; 3] = [Keeps::All, Keeps::Last(100), Keeps::State];

fn pages(kinds: &[Keeps]) -> Pages {
    let cache = |keeps: &Keeps| Cache { keeps: *keeps, page_len: 8 };
    Pages::new(&kinds.iter().map(cache).collect::<Vec<_>>())
}

fn step(pages: &mut Pages, sequence: &mut Sequence, count: usize) {
    pages.reserve(sequence, sequence.tokens.len() + count);
    pages.finish(sequence, &vec![7; count]);
}

/// Every page is in one table or free, and only once.
#[track_caller]
fn check(pages: &Pages, sequences: &[&Sequence]) {
    for (i, pool) in pages.pools.iter().enumerate() {
        let tables = sequences.iter().filter_map(|sequence| sequence.tables.get(i));
        let used = tables.flatten().filter(|page| **page != NONE);
        let mut all: Vec<u32> = used.chain(&pool.free).copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..pool.pages.len() as u32).collect::<Vec<_>>(), "cache {i}");
    }
}

#[test]
fn pages_are_owned_by_one_sequence_and_come_back() {
    let mut pages = pages(&KINDS[..1]);
    let (mut a, mut b) = (Sequence::default(), Sequence::default());
    step(&mut pages, &mut a, 65);
    step(&mut pages, &mut b, 64);
    assert_eq!((&a.tables[0], &b.tables[0]), (&vec![0, 1], &vec![2]));
    pages.truncate(&mut a, 64);
    assert_eq!(a.tables[0], [0]);
    step(&mut pages, &mut b, 1);
    assert_eq!(b.tables[0], [2, 1]);
    pages.truncate(&mut a, 0);
    assert_eq!(a.tokens(), &[] as &[u32]);
    check(&pages, &[&a, &b]);
}

#[test]
fn pages_before_a_window_come_back() {
    let (mut pages, mut a) = (pages(&KINDS[1..2]), Sequence::default());
    step(&mut pages, &mut a, 300);
    // Position 300 sees 201 … 300: pages 3 and 4; position 236 sees page 2 as well.
    assert_eq!(a.tables[0], [NONE, NONE, 2, 3, 4]);
    for _ in 0..1000 {
        step(&mut pages, &mut a, 1);
        check(&pages, &[&a]);
    }
    assert_eq!(pages.pools[0].pages.len(), 5, "no more than the first step took");
    // 1236 sees what is there, 1100 does not.
    pages.truncate(&mut a, 1236);
    assert_eq!(a.tokens.len(), 1236);
    pages.truncate(&mut a, 1100);
    assert_eq!(a.tokens.len(), 0);
    check(&pages, &[&a]);
}

#[test]
fn a_step_finds_a_state_and_leaves_another() {
    let (mut pages, mut a) = (pages(&KINDS[2..]), Sequence::default());
    pages.reserve(&mut a, 5);
    assert_eq!(a.table(0, Keeps::State, 4), [NONE, 0]);
    pages.finish(&mut a, &[7; 5]);
    pages.reserve(&mut a, 6);
    assert_eq!(a.table(0, Keeps::State, 5), [0, 1]);
    // The step fails: the old state is still there.
    pages.cancel(&mut a);
    assert_eq!(a.tables[0], [0]);
    step(&mut pages, &mut a, 1);
    assert_eq!((&a.tables[0], &pages.pools[0].free), (&vec![1], &vec![0]));
}

#[test]
fn a_first_step_that_fails_keeps_no_pages() {
    let (mut pages, mut a) = (pages(&KINDS), Sequence::default());
    pages.reserve(&mut a, 130);
    pages.cancel(&mut a);
    pages.truncate(&mut a, 0);
    check(&pages, &[]);
}

#[test]
fn a_mark_on_the_way_gets_a_state_of_its_own() {
    let (mut pages, mut a) = (pages(&KINDS[2..]), Sequence::default());
    a.plan_mark(70);
    step(&mut pages, &mut a, 50);
    pages.reserve(&mut a, 90);
    assert_eq!(a.table(0, Keeps::State, 69), [0, 1]);
    assert_eq!(a.table(0, Keeps::State, 70), [1, 2]);
    pages.finish(&mut a, &[7; 40]);
    assert_eq!((&a.marks, &a.tables[0]), (&vec![70], &vec![1, 2]));
    step(&mut pages, &mut a, 30);
    pages.truncate(&mut a, 100);
    assert_eq!((a.tokens.len(), &a.tables[0]), (70, &vec![1]));
    check(&pages, &[&a]);
}

/// Sequences grow, are marked and cut at random; pages are never lost or shared, and what a mark
/// promises is there.
#[test]
fn whatever_happens_every_page_has_one_place() {
    let (mut pages, mut all) = (pages(&KINDS), [(); 3].map(|()| Sequence::default()));
    let mut random = 1_u64;
    let mut below = |n: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize % n
    };
    for _ in 0..20_000 {
        let sequence = &mut all[below(3)];
        let len = sequence.tokens.len();
        match below(8) {
            0 => sequence.plan_mark(len + below(150)),
            1 => {
                pages.reserve(sequence, len + 1 + below(200));
                pages.cancel(sequence);
            }
            2 => {
                let want = below(len + 1);
                let marks = sequence.marks.clone();
                pages.truncate(sequence, want);
                let expected = marks.into_iter().filter(|mark| *mark <= want).max().unwrap_or(0);
                let whole = if want == len { len } else { expected };
                assert_eq!(sequence.tokens.len(), whole);
            }
            3 if len > 1000 => pages.truncate(sequence, 0),
            _ => step(&mut pages, sequence, 1 + below(90)),
        }
        for (i, keeps) in KINDS.iter().enumerate() {
            let (Some(table), Keeps::Last(last)) = (sequence.tables.get(i), keeps) else {
                continue;
            };
            for len in sequence.marks.iter().copied().chain([sequence.tokens.len()]) {
                assert!(table[seen(len, *last)].iter().all(|page| *page != NONE));
            }
        }
        let sequence = &all[0];
        if let Some(states) = sequence.tables.get(2).filter(|states| !states.is_empty()) {
            assert_eq!(states.len(), sequence.marks.len() + 1, "a state for each mark and the end");
        }
        check(&pages, &all.each_ref());
    }
}
