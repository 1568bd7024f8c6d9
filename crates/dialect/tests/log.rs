//! Logs in chunks: reading a chunk, and chunks that arrive in any order, twice, or not at all.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, sample::Index};
use wilco_dialect::{
    Channel, Checksum, ChunkResult, DecodedMessage, Dialect, Inbound, LogChunk, LogPieces, LogProgress, LogReceipt,
    Topics,
    device_side::{cut_log, write_log_chunk},
};
use wilco_ledger::{CommandId, DeviceId};

const OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn device(id: &str) -> DeviceId {
    DeviceId::new(id).expect("a device ID")
}

fn id(id: &str) -> CommandId {
    CommandId::new(id).expect("an id")
}

fn hear(dialect: &Dialect, payload: &[u8], correlation: Option<&[u8]>) -> Result<Option<LogChunk>, String> {
    let topic = Topics::default().of(&device("dock-1"), Channel::Log);
    let inbound = Inbound { topic: &topic, payload, qos: 1, retained: false, correlation };
    match dialect.decode(&inbound) {
        Ok(Some(DecodedMessage::Log { device: heard, chunk })) => {
            assert_eq!(heard, device("dock-1"));
            Ok(Some(chunk))
        }
        Ok(None) => Ok(None),
        Ok(other) => panic!("no log: {other:?}"),
        Err(unreadable) => Err(unreadable.why),
    }
}

fn wilco() -> Dialect {
    Dialect::Wilco(Topics::default())
}

/// A piece as plain as can be.
fn piece(number: u32, of: Option<u32>, text: &str) -> LogChunk {
    LogChunk { id: id("a"), number, of, offset: None, text: text.to_owned(), sha256: None }
}

#[test]
fn a_piece_is_read_leniently() {
    let check = |payload: &str, expected: LogChunk| {
        assert_eq!(hear(&wilco(), payload.as_bytes(), Some(b"a")), Ok(Some(expected)), "{payload}");
    };
    let full = LogChunk { offset: Some(40), sha256: Checksum::read(OF_ABC), ..piece(2, Some(3), "ab\nc") };
    let text = format!(r#"{{"id":"a","chunk":2,"of":3,"offset":40,"text":"ab\nc","sha256":"{OF_ABC}"}}"#);
    check(&text, full.clone());
    check(&format!(r#"{{"chunk":"2","of":3.0,"offset":"40","text":"ab\nc","sha256":"{OF_ABC}"}}"#), full);
    check(r#"{"id":"a","chunk":1,"text":""}"#, piece(1, None, ""));
    check(r#"{"chunk":1,"of":null,"offset":-4,"text":"","sha256":"none"}"#, piece(1, None, ""));
}

#[test]
fn invalid_chunks_are_reported() {
    let check = |payload: &[u8], part: &str| {
        let why = hear(&wilco(), payload, None).expect_err(part);
        assert!(why.contains(part) && why.ends_with('.'), "{why}");
    };
    check(b"{\"id\":\"a\",\"chunk\":1,\"of\":3,\"te", "not valid JSON");
    check(b"{\xff}", "not UTF-8");
    check(br#"{"chunk":1,"text":""}"#, "its command is unknown");
    check(br#"{"id":"a","chunk":0,"text":""}"#, "not a whole number from 1");
    check(br#"{"id":"a","chunk":1e300,"text":""}"#, "not a whole number from 1");
    check(br#"{"id":"a","chunk":1,"of":"many","text":""}"#, "\"of\" is not");
    check(br#"{"id":"a","chunk":4,"of":3,"text":""}"#, "chunk 4 of 3");
    check(br#"{"id":"a","chunk":1,"of":3}"#, "no text");
    check(br#"{"id":"a","chunk":1,"of":3,"text":["line"]}"#, "not a string");
}

#[test]
fn lines_that_a_device_logs_there_are_its_own_affair() {
    let check = |payload: &[u8]| assert_eq!(hear(&wilco(), payload, None), Ok(None));
    check(b"12:00:01 connected");
    check(b"[1,2]");
    check(b"\xff\xfe");
    check(b"");
    check(br#"{"level":"info","text":"connected"}"#);
}

#[test]
fn text_firmware_may_say_what_it_likes_there() {
    let text = Dialect::Text(Topics::default());
    assert_eq!(hear(&text, b"any line", None), Ok(None));
    assert_eq!(hear(&text, br#"{"id":"a","chunk":1,"text":"x"}"#, None), Ok(Some(piece(1, None, "x"))));
}

#[test]
fn messages_of_a_device_are_decoded_as_encoded() {
    let (chunks, receipt) = cut_log(&id("a"), &"a \"line\"\n".repeat(10_000));
    assert!(chunks.len() > 2);
    assert_eq!(receipt.chunks, u32::try_from(chunks.len()).ok());
    for chunk in &chunks {
        assert_eq!(hear(&wilco(), &write_log_chunk(chunk), None), Ok(Some(chunk.clone())));
    }
    let (last, others) = chunks.split_last().expect("chunks");
    assert_eq!(last.sha256, receipt.sha256);
    assert!(others.iter().all(|chunk| chunk.sha256.is_none()));
}

#[test]
fn a_log_is_complete_only_by_its_checksum() {
    let check = |pieces: Vec<LogChunk>, promise: Option<LogReceipt>, expected: &str| {
        assert_eq!(LogProgress::of(&pieces, promise.as_ref()).to_string(), expected);
    };
    let receipt = LogReceipt { chunks: Some(2), bytes: Some(3), sha256: Some(Checksum::of("abc")) };
    let two = || vec![piece(2, Some(2), "c"), piece(1, Some(2), "ab")];
    let complete = "Complete: 3 bytes in 2 chunks, checksum verified.";
    check(two(), Some(receipt), complete);
    check(vec![piece(1, None, "ab"), piece(2, None, "c")], Some(receipt), complete);
    let last = LogChunk { sha256: receipt.sha256, ..piece(2, Some(2), "c") };
    check(vec![last, piece(1, Some(2), "ab")], None, complete);
    let unchecked = "Received all chunks (2), but the device sent no checksum, so the log is not verified.";
    check(two(), None, unchecked);
    check(two(), Some(LogReceipt { sha256: None, ..receipt }), unchecked);
    check(vec![piece(2, Some(2), "c")], Some(receipt), "Received 1 of 2 chunks; missing: 1.");
    check(vec![], Some(receipt), "Received 0 of 2 chunks; missing: 1–2.");
    check(vec![piece(3, None, "c")], None, "Received 1 chunk of an unknown number; missing so far: 1–2.");
    let nothing = LogReceipt { chunks: Some(0), bytes: Some(0), sha256: Some(Checksum::of("")) };
    check(vec![], Some(nothing), "Complete: 0 bytes in 0 chunks, checksum verified.");
}

/// Checks that such a log is wrong, why, and what is said to be done about it.
fn is_wrong(pieces: Vec<LogChunk>, promise: Option<LogReceipt>, part: &str, advice: &str) {
    let standing = LogProgress::of(&pieces, promise.as_ref());
    assert!(matches!(standing, LogProgress::Wrong { .. }), "{part}: {standing}");
    let sentences = standing.to_string();
    let why = sentences.strip_suffix(advice).unwrap_or_else(|| panic!("not{advice} {sentences}"));
    assert!(why.contains(part) && why.ends_with('.') && !why.contains("sk for"), "{sentences}");
}

#[test]
fn contradictory_chunks_make_a_log_wrong() {
    let check = |pieces: Vec<LogChunk>, promise: Option<LogReceipt>, part: &str| {
        is_wrong(pieces, promise, part, " Fetch the log again.");
    };
    let receipt = LogReceipt { chunks: Some(2), bytes: Some(3), sha256: Some(Checksum::of("abc")) };
    let two = |last: &str| vec![piece(1, Some(2), "ab"), piece(2, Some(2), last)];
    check(two("x"), Some(receipt), "checksum does not match");
    check(two("cd"), Some(receipt), "they have 4 bytes and the device announced 3");
    check(two("c"), Some(LogReceipt { chunks: Some(3), ..receipt }), "first announced 2 chunks, then 3");
    check(vec![piece(1, None, "ab"), piece(3, None, "c")], Some(receipt), "Received chunk 3 of a log with 2 chunks");
    check(vec![piece(1, None, "ab"), piece(1, None, "ac")], None, "Received two different versions of chunk 1");
    let displaced = LogChunk { offset: Some(5), ..piece(2, Some(2), "c") };
    check(
        vec![piece(1, Some(2), "ab"), displaced],
        None,
        "Chunk 2 claims to begin at byte 5, but the chunks before it contain 2 bytes",
    );
    let other = LogChunk { sha256: Some(Checksum::of("abd")), ..piece(1, None, "ab") };
    check(vec![other], Some(receipt), "two different checksums");
}

#[test]
fn of_what_is_too_long_fewer_lines_are_to_be_asked_for() {
    let check = |pieces: Vec<LogChunk>, promise: Option<LogReceipt>, part: &str| {
        is_wrong(pieces, promise, part, " Fetch fewer lines.");
    };
    check(vec![piece(1, Some(5_000), "ab")], None, "too many chunks: the limit is 4,096");
    check(vec![piece(5_000, None, "ab")], None, "too many chunks: the limit is 4,096");
    let endless = LogReceipt { bytes: Some(1 << 40), ..LogReceipt::default() };
    check(vec![], Some(endless), "The log has 1,099,511,627,776 bytes; the limit is 8,388,608");
    let long = "x".repeat(5 * 1024 * 1024);
    check(vec![piece(1, None, &long), piece(2, None, &long)], None, "too long");
}

#[test]
fn a_doubled_piece_is_noticed_and_a_useless_one_too() {
    let mut pieces = LogPieces::default();
    let mut check =
        |chunk: LogChunk, expected: ChunkResult| assert_eq!(pieces.add(&device("dock-1"), &chunk), expected);
    check(piece(1, Some(2), "ab"), ChunkResult::New);
    check(piece(1, Some(2), "ab"), ChunkResult::Doubled);
    let why = "Received two different versions of chunk 1. Fetch the log again.";
    check(piece(1, Some(2), "xy"), ChunkResult::Ruinous(why.to_owned()));
    check(piece(2, Some(2), "c"), ChunkResult::Useless);
}

#[test]
fn of_a_log_that_was_wrong_before_everything_is_useless() {
    let mut pieces = LogPieces::default();
    pieces.give_up(&device("dock-1"), &id("a"), "It does not end.".to_owned());
    assert!(pieces.knows(&device("dock-1"), &id("a")));
    assert_eq!(pieces.add(&device("dock-1"), &piece(1, Some(1), "ab")), ChunkResult::Useless);
}

#[test]
fn logs_of_the_same_id_from_two_devices_are_two_logs() {
    let mut pieces = LogPieces::default();
    assert_eq!(pieces.add(&device("a"), &piece(1, Some(1), "of a")), ChunkResult::New);
    assert_eq!(pieces.add(&device("b"), &piece(1, Some(1), "of b")), ChunkResult::New);
    assert_eq!(pieces.add(&device("a"), &piece(1, Some(1), "of a")), ChunkResult::Doubled);
}

#[test]
fn logs_of_a_whole_fleet_come_at_once_and_none_is_forgotten() {
    let mut pieces = LogPieces::default();
    let fleet: Vec<_> = (0..1_000).map(|number| device(&format!("dock-{number}"))).collect();
    for number in 1..=20 {
        for device in &fleet {
            assert_eq!(pieces.knows(device, &id("a")), number > 1, "{device}");
            assert_eq!(pieces.add(device, &piece(number, Some(20), "a line\n")), ChunkResult::New);
        }
    }
}

#[test]
fn the_log_longest_without_news_makes_room() {
    let mut pieces = LogPieces::default();
    let of = |name: u32, number: u32| LogChunk { id: id(&format!("c{name}")), ..piece(number, None, "x") };
    let knows = |pieces: &LogPieces, name: u32| pieces.knows(&device("dock-1"), &id(&format!("c{name}")));
    for name in 0..10_000 {
        pieces.add(&device("dock-1"), &of(name, 1));
    }
    pieces.add(&device("dock-1"), &of(0, 1));
    pieces.add(&device("dock-1"), &of(10_000, 1));
    assert!(knows(&pieces, 0) && knows(&pieces, 10_000) && knows(&pieces, 2));
    assert!(!knows(&pieces, 1));

    // 500,000 pieces are 122 logs as long as they can be, and some of another.
    for name in 0..123 {
        for number in 1..=4_096 {
            pieces.add(&device("dock-1"), &of(20_000 + name, number));
        }
    }
    assert!(!knows(&pieces, 10_000) && !knows(&pieces, 20_000));
    assert!(knows(&pieces, 20_001) && knows(&pieces, 20_122));
}

/// A text cut into pieces at some of its characters.
fn logs() -> impl Strategy<Value = Vec<LogChunk>> {
    let cuts = prop::collection::vec(any::<Index>(), 0..12);
    (".{0,80}", cuts).prop_map(|(text, cuts)| {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| *cut.get(&places)).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        let of = u32::try_from(cuts.len() - 1).ok();
        let pieces = cuts.windows(2).zip(1..).map(|(ends, number)| LogChunk {
            offset: Some(ends[0] as u64),
            ..piece(number, of, &text[ends[0]..ends[1]])
        });
        pieces.collect()
    })
}

fn receipt_of(chunks: &[LogChunk]) -> LogReceipt {
    let text: String = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
    LogReceipt {
        chunks: u32::try_from(chunks.len()).ok(),
        bytes: Some(text.len() as u64),
        sha256: Some(Checksum::of(&text)),
    }
}

/// Pieces as devices never send them, or hardly ever.
fn odd_pieces() -> impl Strategy<Value = (u8, LogChunk)> {
    let piece = (0..3_u8, 1..6_000_u32, prop::option::of(1..6_000_u32), prop::option::of(0..9_u64), "[ab]{0,3}");
    (0..3_u8, piece, any::<bool>()).prop_map(|(device, (name, number, of, offset, text), summed)| {
        let sha256 = summed.then(|| Checksum::of(&text));
        (device, LogChunk { id: id(&format!("c{name}")), number, of, offset, text, sha256 })
    })
}

proptest! {
    #[test]
    fn in_any_order_doubled_and_from_several_commands_at_once_each_log_is_the_one_that_was_sent(
        logs in prop::collection::vec(logs(), 1..4),
        order in prop::collection::vec(any::<Index>(), 0..80),
        lost in prop::collection::btree_set(any::<(u8, u8)>(), 0..4),
    ) {
        let name = |number: usize| id(&format!("c{number}"));
        let is_lost = |log: usize, number: u32| {
            lost.iter().any(|(of, which)| usize::from(*of) % logs.len() == log && u32::from(*which % 16) == number)
        };
        let mut sent: Vec<LogChunk> = logs.iter().enumerate().flat_map(|(number, log)| {
            log.iter().map(move |chunk| LogChunk { id: name(number), ..chunk.clone() })
                .filter(move |chunk| !is_lost(number, chunk.number))
        }).collect();
        // Each index doubles one piece, and moves another to the end.
        for index in order.iter().filter(|_| !logs.is_empty()) {
            if !sent.is_empty() {
                let moved = sent.remove(index.index(sent.len()));
                if index.index(3) == 0 {
                    sent.push(moved.clone());
                }
                sent.push(moved);
            }
        }
        let mut pieces = LogPieces::default();
        let mut seen = BTreeSet::new();
        for chunk in &sent {
            let news = if seen.insert((chunk.id.clone(), chunk.number)) { ChunkResult::New } else { ChunkResult::Doubled };
            prop_assert_eq!(pieces.add(&device("dock-1"), chunk), news);
        }
        for (number, log) in logs.iter().enumerate() {
            let come: Vec<_> = sent.iter().filter(|chunk| chunk.id == name(number)).cloned().collect();
            let standing = LogProgress::of(&come, Some(&receipt_of(log)));
            let missing: Vec<u32> = log.iter().map(|chunk| chunk.number).filter(|n| is_lost(number, *n)).collect();
            if missing.is_empty() {
                let text: String = log.iter().map(|chunk| chunk.text.as_str()).collect();
                let chunks = u32::try_from(log.len()).expect("few");
                let sha256 = Checksum::of(&text);
                prop_assert_eq!(standing, LogProgress::Complete { text, chunks, sha256 });
            } else {
                let (have, of) = (log.len() - missing.len(), u32::try_from(log.len()).ok());
                let have = u32::try_from(have).expect("few");
                prop_assert_eq!(standing, LogProgress::Gathering { have, of, missing });
            }
        }
    }

    #[test]
    fn a_changed_piece_never_makes_a_complete_log(log in logs(), which: Index, change in "[a-z]{1,3}") {
        let receipt = receipt_of(&log);
        let mut changed = log;
        let count = changed.len();
        changed[which.index(count)].text.push_str(&change);
        let standing = LogProgress::of(&changed, Some(&receipt));
        prop_assert!(matches!(standing, LogProgress::Wrong { .. }), "{}", standing);
    }

    #[test]
    fn any_pieces_are_survived_within_bounds(pieces in prop::collection::vec(odd_pieces(), 0..60)) {
        let mut known = LogPieces::default();
        let mut come: BTreeMap<_, Vec<LogChunk>> = BTreeMap::new();
        for (number, piece) in pieces {
            let device = device(&format!("d{number}"));
            let news = known.add(&device, &piece);
            let log = come.entry((device, piece.id.clone())).or_default();
            log.push(piece);
            let standing = LogProgress::of(log, None);
            prop_assert!(standing.to_string().ends_with('.'));
            let is_wrong = matches!(news, ChunkResult::Ruinous(_) | ChunkResult::Useless);
            prop_assert!(!is_wrong || matches!(standing, LogProgress::Wrong { .. }), "{:?}: {}", news, standing);
            if let LogProgress::Gathering { missing, .. } = standing {
                prop_assert!(missing.len() <= 4_096);
            }
        }
    }
}
