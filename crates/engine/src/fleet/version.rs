//! Firmware versions: which of two is the later one, and which versions belong to another.
//!
//! The precedence is that of Semantic Versioning 2.0.0, section 11, for versions of any number of parts. What other
//! firmware writes is read likewise: `v2.1`, `2.1rc1`, `14.2.0(release)`, `2.1-14-g1a2b3c4`.

use std::cmp::Ordering;

use super::order::natural;

/// The words with which a pre-release begins where no hyphen stands before it.
const PRE_RELEASES: [&str; 8] = ["alpha", "beta", "rc", "pre", "preview", "dev", "nightly", "snapshot"];

/// What decides the order of a version.
struct Version<'a> {
    /// The numbers at its beginning; none where it has none.
    core: Vec<&'a str>,
    suffix: Suffix<'a>,
}

/// What follows the numbers, without build metadata.
enum Suffix<'a> {
    PreRelease(&'a str),
    Release,
    /// Any other suffix, such as that of `git describe`: later than the release.
    Later(&'a str),
}

/// The order of two versions, whatever they look like: `2.1-rc1` comes before `2.1`, which equals `v2.1.0`. A text without
/// a number at its beginning comes after every version.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (Version::of(a), Version::of(b));
    a.core.is_empty().cmp(&b.core.is_empty()).then_with(|| same_length(&a.core, &b.core)).then_with(|| {
        match (&a.suffix, &b.suffix) {
            (Suffix::PreRelease(a), Suffix::PreRelease(b)) => compare_identifiers(a, b),
            (Suffix::Later(a), Suffix::Later(b)) => natural(a, b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    })
}

/// Whether a version has these parts at its beginning: `2.3` is one of 2.3.1 and v2.3, and none of 2.30, nor of 2.3-rc1, which
/// comes before it.
pub(super) fn begins(own: &str, version: &str) -> bool {
    let (own, version) = (numbered(own), numbered(version));
    let Some((first, rest)) = own.split_at_checked(version.len()) else { return false };
    let in_a_number =
        version.ends_with(|last: char| last.is_ascii_digit()) && rest.starts_with(|first: char| first.is_ascii_digit());
    first.eq_ignore_ascii_case(version) && !in_a_number && !is_pre_release_of(own, version)
}

/// Whether it is a pre-release of a version that is none itself.
fn is_pre_release_of(own: &str, version: &str) -> bool {
    let (own, version) = (Version::of(own), Version::of(version.trim_end_matches('.')));
    matches!((&own.suffix, &version.suffix), (Suffix::PreRelease(_), Suffix::Release))
        && same_length(&own.core, &version.core) == Ordering::Equal
}

impl Version<'_> {
    fn of(text: &str) -> Version<'_> {
        let text = numbered(text);
        let end = core_length(text);
        if end == 0 {
            return Version { core: Vec::new(), suffix: Suffix::Later(text) };
        }
        // Build metadata does not count (section 10), and neither does what other firmware puts in parentheses.
        let rest = text[end..].split(['+', '(', ' ']).next().unwrap_or_default();
        Version { core: text[..end].split('.').collect(), suffix: Suffix::of(rest) }
    }
}

impl Suffix<'_> {
    fn of(rest: &str) -> Suffix<'_> {
        if rest.is_empty() {
            return Suffix::Release;
        }
        let bare = rest.trim_start_matches(['-', '.', '_', '~']);
        let is_identifiers = || bare.chars().all(|char| char.is_ascii_alphanumeric() || char == '.' || char == '-');
        let is_semantic = rest.starts_with('-') && !bare.is_empty() && is_identifiers() && !is_described(bare);
        if is_semantic || rest.starts_with('~') || is_named_pre_release(bare) {
            Suffix::PreRelease(bare)
        } else {
            Suffix::Later(rest)
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Suffix::PreRelease(_) => 0,
            Suffix::Release => 1,
            Suffix::Later(_) => 2,
        }
    }
}

/// The length of the numbers at the beginning of a text: that of `2.1.0` in `2.1.0-rc1`.
fn core_length(text: &str) -> usize {
    let mut length = 0;
    for part in text.split('.') {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            break;
        }
        length += usize::from(length > 0) + digits;
        if digits < part.len() {
            break;
        }
    }
    length
}

/// A pre-release by its word (`rc1`), or by one letter before a number (`b3`).
fn is_named_pre_release(text: &str) -> bool {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (word, rest) = text.split_at(letters);
    let is_short = word.eq_ignore_ascii_case("a") || word.eq_ignore_ascii_case("b");
    PRE_RELEASES.iter().any(|known| word.eq_ignore_ascii_case(known))
        || is_short && rest.starts_with(|first: char| first.is_ascii_digit())
}

/// What `git describe` adds: `14-g1a2b3c4`, `g1a2b3c4-dirty`, `dirty`.
fn is_described(text: &str) -> bool {
    let clean = text.strip_suffix("dirty").map_or(text, |rest| rest.trim_end_matches('-'));
    let hash = clean.rsplit('-').next().and_then(|last| last.strip_prefix('g'));
    clean.is_empty() || hash.is_some_and(|hash| hash.len() >= 7 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The order of numbers one by one; those that are missing are 0.
fn same_length(a: &[&str], b: &[&str]) -> Ordering {
    let number = |part: Option<&&str>| part.map_or("", |part| part.trim_start_matches('0')).to_owned();
    (0..a.len().max(b.len()))
        .map(|place| {
            let (a, b) = (number(a.get(place)), number(b.get(place)));
            a.len().cmp(&b.len()).then_with(|| a.cmp(&b))
        })
        .find(|ordering| *ordering != Ordering::Equal)
        .unwrap_or(Ordering::Equal)
}

/// Section 11.4, but numbers within an identifier count as numbers too: `rc9` comes before `rc10`.
fn compare_identifiers(a: &str, b: &str) -> Ordering {
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (mut left, mut right) = (a.split('.'), b.split('.'));
    loop {
        let ordering = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            // A number is lower than a word.
            (Some(a), Some(b)) => is_number(b).cmp(&is_number(a)).then_with(|| natural(a, b)),
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
}

/// A version without the `v` before its first number.
fn numbered(version: &str) -> &str {
    let rest = version.strip_prefix(['v', 'V']);
    rest.filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit())).unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::{prop_assert, proptest};

    use super::{begins, compare};

    #[test]
    fn a_pre_release_comes_before_its_release() {
        let check = |ascending: &[&str]| {
            for (place, lower) in ascending.iter().enumerate() {
                for higher in &ascending[place + 1..] {
                    assert_eq!(compare(lower, higher), Ordering::Less, "{lower} {higher}");
                    assert_eq!(compare(higher, lower), Ordering::Greater, "{higher} {lower}");
                }
            }
        };
        // The example of the specification, section 11.
        check(&["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11"]);
        check(&["1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1-rc1", "1.0.1", "2.1-rc1", "2.1", "2.1.1", "2.10"]);
        check(&["2.0.9", "2.1-rc9", "2.1-rc10", "2.1rc11", "2.1", "2.1.0-14-g1a2b3c4", "2.1.1"]);
        check(&["2024.6.0b3", "2024.6.0", "2024.6.1.dev2", "2024.6.1", "2024.6.1p2", "2024.10.0"]);
        check(&["9", "99999999999999999999", "100000000000000000000", "custom", "sensor"]);
    }

    #[test]
    fn versions_that_differ_only_in_how_they_are_written_are_equal() {
        for (a, b) in [("2.1", "v2.1.0"), ("2.1.0+b7", "2.1"), ("14.2.0(release)", "14.2"), ("2.01", "2.1")] {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
        }
    }

    #[test]
    fn a_version_has_its_patches_and_not_what_came_before_it() {
        let check = |version: &str, own: &str, expected: bool| assert_eq!(begins(own, version), expected, "{own}");
        for own in ["2.1", "v2.1", "2.1.0", "2.1.7", "2.1.7-rc1", "2.1+b7", "2.1-14-g1a2b3c4"] {
            check("2.1", own, true);
        }
        for own in ["2.1-rc1", "2.1.0-rc1", "2.1rc1", "2.10", "2.2", "12.1", "2"] {
            check("2.1", own, false);
        }
        check("2.1-rc", "2.1-RC1", true);
        check("2.1.", "2.1.0-rc1", false);
        check("2", "2.1-rc1", true);
        check("custom", "custom-7", true);
    }

    proptest! {
        #[test]
        fn the_order_of_any_three_texts_is_one_order(
            a in "[v]?([0-9]{1,2}\\.?){0,3}[-~ +(.]?[a-z0-9.-]{0,4}",
            b in "[v]?([0-9]{1,2}\\.?){0,3}[-~ +(.]?[a-z0-9.-]{0,4}",
            c in "[v]?([0-9]{1,2}\\.?){0,3}[-~ +(.]?[a-z0-9.-]{0,4}",
        ) {
            prop_assert!(compare(&a, &b) == compare(&b, &a).reverse());
            if compare(&a, &b) != Ordering::Greater && compare(&b, &c) != Ordering::Greater {
                prop_assert!(compare(&a, &c) != Ordering::Greater, "{a:?} {b:?} {c:?}");
            }
        }
    }
}
