//! Random numbers, from the operating system or from a test. IDs are UUIDs, and are not generated here.

/// Where random numbers come from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Chance {
    /// The operating system.
    Computer,
    /// A test, which returns the same number each time.
    #[cfg(test)]
    Given(u32),
}

impl Chance {
    /// A number of 32 bits, each as likely as any other.
    #[must_use]
    pub(crate) fn number(self) -> u32 {
        match self {
            // The first 32 bits of a UUID of version 4 are all random (RFC 9562 section 5.4).
            Chance::Computer => uuid::Uuid::new_v4().as_fields().0,
            #[cfg(test)]
            Chance::Given(number) => number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn the_computer_gives_numbers_of_the_whole_range() {
        let numbers: Vec<u32> = (0..200).map(|_| Chance::Computer.number()).collect();
        for bit in 0..32 {
            let set = numbers.iter().filter(|number| *number >> bit & 1 == 1).count();
            assert!((1..200).contains(&set), "bit {bit} is always the same");
        }
    }
}
