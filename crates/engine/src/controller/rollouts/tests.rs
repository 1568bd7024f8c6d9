use super::beyond_a_few;

#[test]
fn the_latest_rollouts_are_remembered_as_long_as_they_have_few_members() {
    let check = |sizes: &[usize], forgotten: &[u32]| {
        let latest_first = (1..=sizes.len() as u32).rev().zip(sizes.iter().copied());
        assert_eq!(beyond_a_few(latest_first), forgotten, "{sizes:?}");
    };
    check(&[], &[]);
    check(&[1; 8], &[]);
    check(&[1; 10], &[2, 1]);
    check(&[100_000], &[]);
    check(&[250_000], &[]);
    check(&[100_000, 1], &[1]);
    check(&[40_000, 60_000], &[]);
    check(&[1, 60_000, 60_000, 5], &[2, 1]);
}
