//! Values under small dense numbers that are used again.

/// A table of values; a removed value's number goes to a later one.
#[derive(Debug)]
pub(super) struct Slab<T> {
    slots: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Slab<T> {
    /// An empty table.
    pub(super) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len().saturating_sub(self.free.len())
    }

    /// Stores a value and returns its number.
    pub(super) fn insert(&mut self, value: T) -> usize {
        if let Some(number) = self.free.pop()
            && let Some(slot) = self.slots.get_mut(number)
        {
            *slot = Some(value);
            return number;
        }
        self.slots.push(Some(value));
        self.slots.len().saturating_sub(1)
    }

    /// The value under a number.
    pub(super) fn get(&self, number: usize) -> Option<&T> {
        self.slots.get(number)?.as_ref()
    }

    /// The value under a number, to be changed.
    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut T> {
        self.slots.get_mut(number)?.as_mut()
    }

    /// All values, to be changed.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots.iter_mut().flatten()
    }

    /// Takes the value out and frees its number.
    pub(super) fn remove(&mut self, number: usize) -> Option<T> {
        let value = self.slots.get_mut(number)?.take()?;
        self.free.push(number);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::Slab;

    #[test]
    fn numbers_are_used_again() {
        let mut slab = Slab::new();
        let (a, b) = (slab.insert('a'), slab.insert('b'));
        assert_eq!((a, b, slab.len()), (0, 1, 2));
        assert_eq!(slab.remove(a), Some('a'));
        assert_eq!(slab.remove(a), None);
        assert_eq!(slab.insert('c'), a);
        assert_eq!(
            (slab.get(a), slab.get(b), slab.len()),
            (Some(&'c'), Some(&'b'), 2)
        );
        assert_eq!(slab.get(7), None);
    }
}
