//! `Slab`: the entries of a registry, by key.

/// The key of an entry. A serial is never reused, so the key of a removed entry finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// In the order of insertion. First, so that keys sort in this order.
    pub(super) serial: u64,
    index: usize,
}

impl Key {
    fn chunk(self) -> usize {
        self.index / CHUNK
    }

    fn place(self) -> usize {
        self.index % CHUNK
    }
}

/// Entries in chunks. The first chunk with room is filled first, and a chunk whose entries are all removed is
/// freed. So the memory of a spike returns, even if some of its entries stay.
pub(super) struct Slab<T> {
    chunks: Vec<Chunk<T>>,
    /// No chunk before this one has room.
    first_with_room: usize,
    len: usize,
    last_serial: u64,
}

struct Chunk<T> {
    places: Vec<Place<T>>,
    /// The number of occupied places.
    occupied: usize,
    /// The first vacant place. Each has the number of the next one, and the last one has `places.len()`.
    vacant: usize,
}

enum Place<T> {
    Occupied { serial: u64, value: T },
    Vacant { next: usize },
}

/// The number of places in a chunk.
const CHUNK: usize = 4_096;
/// A chunk with fewer places is kept when it is empty, so that a reaper that is often empty does not allocate.
const KEPT: usize = 32;

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), first_with_room: 0, len: 0, last_serial: 0 }
    }
}

impl<T> Slab<T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds the entry that `make` returns. It takes a function, so that the entry is written where it stays.
    #[inline]
    pub(super) fn insert_with(&mut self, make: impl FnOnce() -> T) -> Key {
        if !self.chunks.get(self.first_with_room).is_some_and(Chunk::has_room) {
            self.make_room();
        }
        self.len += 1;
        self.last_serial += 1;
        let (serial, chunk) = (self.last_serial, self.first_with_room);
        let Chunk { places, occupied, vacant } = &mut self.chunks[chunk];
        let place = *vacant;
        let content = &mut places[place];
        let Place::Vacant { next } = *content else { unreachable!("`vacant` lists no other") };
        *content = Place::Occupied { serial, value: make() };
        *occupied += 1;
        *vacant = next;
        Key { serial, index: chunk * CHUNK + place }
    }

    #[cold]
    fn make_room(&mut self) {
        while self.chunks.get(self.first_with_room).is_some_and(Chunk::is_full) {
            self.first_with_room += 1;
        }
        if self.chunks.len() == self.first_with_room {
            self.chunks.push(Chunk::EMPTY);
        }
        self.chunks[self.first_with_room].grow();
    }

    #[inline]
    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.chunks.get_mut(key.chunk())?.places.get_mut(key.place())? {
            Place::Occupied { serial, value } if *serial == key.serial => Some(value),
            _ => None,
        }
    }

    /// Drops the entry in its place, after `last` has seen it.
    #[inline]
    pub(super) fn remove<R>(&mut self, key: Key, last: impl FnOnce(&mut T) -> R) -> Option<R> {
        let chunk = self.chunks.get_mut(key.chunk())?;
        let content = chunk.places.get_mut(key.place())?;
        let result = match content {
            Place::Occupied { serial, value } if *serial == key.serial => last(value),
            _ => return None,
        };
        *content = Place::Vacant { next: chunk.vacant };
        chunk.vacant = key.place();
        chunk.occupied -= 1;
        if chunk.occupied == 0 && chunk.places.len() > KEPT {
            *chunk = Chunk::EMPTY;
        }
        self.len -= 1;
        self.first_with_room = self.first_with_room.min(key.chunk());
        Some(result)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        let places = (0..).zip(&self.chunks).flat_map(|(chunk, Chunk { places, .. })| {
            (0..).zip(places).map(move |(place, content)| (chunk, place, content))
        });
        places.filter_map(|(chunk, place, content)| match content {
            Place::Occupied { serial, value } => {
                Some((Key { serial: *serial, index: chunk * CHUNK + place }, value))
            }
            Place::Vacant { .. } => None,
        })
    }
}

impl<T> Chunk<T> {
    const EMPTY: Self = Self { places: Vec::new(), occupied: 0, vacant: 0 };

    fn has_room(&self) -> bool {
        self.vacant < self.places.len()
    }

    fn is_full(&self) -> bool {
        self.occupied == CHUNK
    }

    /// Adds vacant places, if there are none.
    fn grow(&mut self) {
        if self.has_room() {
            return;
        }
        let len = self.occupied;
        if len == KEPT {
            self.places.reserve_exact(CHUNK - KEPT);
        }
        self.places.extend((len..len + len.max(4)).map(|place| Place::Vacant { next: place + 1 }));
    }
}

#[cfg(test)]
mod tests {
    use super::{CHUNK, KEPT, Key, Slab};

    fn filled(entries: usize) -> (Slab<usize>, Vec<Key>) {
        let mut slab = Slab::default();
        let keys = (0..entries).map(|entry| slab.insert_with(|| entry)).collect();
        (slab, keys)
    }

    fn places(slab: &Slab<usize>) -> usize {
        slab.chunks.iter().map(|chunk| chunk.places.capacity()).sum()
    }

    #[test]
    fn removed_entry_is_not_found_again() {
        let (mut slab, keys) = filled(3);
        assert_eq!(slab.remove(keys[1], |entry| *entry), Some(1));
        assert_eq!(slab.remove(keys[1], |entry| *entry), None);
        assert_eq!(slab.get_mut(keys[1]), None);
        assert_eq!(slab.len(), 2);
    }

    #[test]
    fn key_is_not_reused_with_its_place() {
        let (mut slab, keys) = filled(3);
        slab.remove(keys[1], |_| ());
        let new = slab.insert_with(|| 7);
        assert_eq!(new.index, keys[1].index);
        assert!(new > keys[2]);
        assert_eq!(slab.get_mut(keys[1]), None);
        assert_eq!(slab.remove(keys[1], |entry| *entry), None);
        assert_eq!(slab.get_mut(new), Some(&mut 7));
    }

    #[test]
    fn key_is_not_reused_after_its_chunk_was_freed() {
        let (mut slab, keys) = filled(CHUNK);
        for &key in &keys {
            slab.remove(key, |_| ());
        }
        let new = slab.insert_with(|| 7);
        assert_eq!(new.index, keys[0].index);
        assert_eq!(slab.get_mut(keys[0]), None);
        assert_eq!(slab.get_mut(keys[CHUNK - 1]), None);
        assert_eq!(slab.get_mut(new), Some(&mut 7));
    }

    #[test]
    fn memory_of_a_spike_returns_although_an_entry_stays() {
        let (mut slab, keys) = filled(10 * CHUNK);
        assert!(places(&slab) >= 10 * CHUNK);
        let (first, others) = keys.split_first().expect("there are keys");
        for &key in others {
            slab.remove(key, |_| ());
        }
        assert_eq!(places(&slab), CHUNK);
        assert_eq!(slab.get_mut(*first), Some(&mut 0));
    }

    #[test]
    fn small_chunk_is_kept_while_it_is_empty() {
        let (mut slab, keys) = filled(KEPT);
        let before = places(&slab);
        for key in keys {
            slab.remove(key, |_| ());
        }
        assert!(slab.is_empty());
        assert_eq!(places(&slab), before);
    }

    #[test]
    fn first_chunk_with_room_is_filled_first() {
        let (mut slab, keys) = filled(3 * CHUNK);
        slab.remove(keys[CHUNK + 5], |_| ());
        slab.remove(keys[3], |_| ());
        let new: Vec<_> = (0..3).map(|entry| slab.insert_with(|| entry).index).collect();
        assert_eq!(new, [keys[3].index, keys[CHUNK + 5].index, 3 * CHUNK]);
    }

    #[test]
    fn iteration_finds_every_entry_under_its_key() {
        let (mut slab, keys) = filled(2 * CHUNK + 10);
        for key in keys.iter().step_by(3) {
            slab.remove(*key, |_| ());
        }
        let expected = keys.iter().copied().enumerate().filter(|(entry, _)| entry % 3 != 0);
        let found: Vec<_> = slab.iter().map(|(key, &entry)| (entry, key)).collect();
        assert_eq!(found, expected.collect::<Vec<_>>());
        assert_eq!(slab.len(), found.len());
    }
}
