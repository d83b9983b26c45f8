//! libcmap.

use std::collections::VecDeque;
use std::ffi::{CStr, c_char, c_void};

use corosync_sys as sys;

use super::slot::Slot;
use super::{DispatchError, Events, Library, Requests, Status, collect, lent, note};
use crate::live::corosync::cmap::{Change, ChangeKind, Map, TrackId, Value};

/// The library.
#[derive(Debug)]
pub(in crate::live) struct Cmap;

impl Library for Cmap {
    fn finalize(handle: u64) -> sys::cs_error_t {
        // SAFETY: any number is accepted: the library checks handles.
        unsafe { sys::cmap_finalize(handle) }
    }
}

thread_local! {
    static SLOT: Slot<VecDeque<Change>> = const { Slot::new() };
}

pub(in crate::live) fn connect(map: Map) -> Result<(Requests<Cmap>, Events<Cmap>), Status> {
    let map = match map {
        Map::Configuration => sys::CMAP_MAP_ICMAP,
        Map::Statistics => sys::CMAP_MAP_STATS,
    };
    let mut handle = 0;
    // SAFETY: the pointer is valid for one handle.
    Status::check(unsafe { sys::cmap_initialize_map(&raw mut handle, map) })?;
    // SAFETY: the handle was just made; the pointer is valid for one int.
    Requests::split(handle, |fd| unsafe { sys::cmap_fd_get(handle, fd) })
}

/// What is asked for with each value: more than the longest value of either map.
///
/// Never less, nor first the size alone: for the map of statistics corosync 3.1 ignores the size
/// that the client gives. It writes the value into a buffer of that size of its own, and the library
/// copies it into the client's buffer, both over its end when it is too small.
const ROOM: usize = Value::LONGEST + 64;

/// The library writes names of up to 255 bytes and a NUL; there is room for more.
const NAME_ROOM: usize = 512;

/// An open iteration, closed when dropped.
struct Cursor {
    handle: u64,
    cursor: u64,
}

impl Drop for Cursor {
    fn drop(&mut self) {
        // SAFETY: the cursor is open and belongs to the handle.
        unsafe { sys::cmap_iter_finalize(self.handle, self.cursor) };
    }
}

impl Requests<Cmap> {
    pub(in crate::live) fn get(&mut self, key: &CStr) -> Result<Value, Status> {
        let mut buffer = [0_u8; ROOM];
        let mut size = ROOM;
        let mut kind = 0;
        self.spend();
        // SAFETY: the key is NUL-terminated. The buffer holds the longest value there is, see
        // `ROOM`.
        Status::check(unsafe {
            sys::cmap_get(
                self.handle,
                key.as_ptr(),
                buffer.as_mut_ptr().cast(),
                &raw mut size,
                &raw mut kind,
            )
        })?;
        Ok(Value::decode(kind, buffer.get(..size).unwrap_or(&buffer)))
    }

    pub(in crate::live) fn set(&mut self, key: &CStr, value: &Value) -> Result<(), Status> {
        let (kind, bytes) = value.encode();
        self.spend();
        // SAFETY: the key is NUL-terminated; the value is as long as said and only read.
        Status::check(unsafe {
            sys::cmap_set(
                self.handle,
                key.as_ptr(),
                bytes.as_ptr().cast(),
                bytes.len(),
                kind,
            )
        })
    }

    pub(in crate::live) fn delete(&mut self, key: &CStr) -> Result<(), Status> {
        self.spend();
        // SAFETY: the key is NUL-terminated.
        Status::check(unsafe { sys::cmap_delete(self.handle, key.as_ptr()) })
    }

    pub(in crate::live) fn increment(&mut self, key: &CStr) -> Result<(), Status> {
        self.spend();
        // SAFETY: the key is NUL-terminated.
        Status::check(unsafe { sys::cmap_inc(self.handle, key.as_ptr()) })
    }

    pub(in crate::live) fn decrement(&mut self, key: &CStr) -> Result<(), Status> {
        self.spend();
        // SAFETY: the key is NUL-terminated.
        Status::check(unsafe { sys::cmap_dec(self.handle, key.as_ptr()) })
    }

    /// Calls `each` with every key that begins with `prefix`.
    fn iterate(
        &mut self,
        prefix: &CStr,
        mut each: impl FnMut(&mut Self, &CStr) -> Result<(), Status>,
    ) -> Result<(), Status> {
        let mut cursor = Cursor {
            handle: self.handle,
            cursor: 0,
        };
        self.spend();
        // SAFETY: the prefix is NUL-terminated; the pointer is valid for one handle.
        let code =
            unsafe { sys::cmap_iter_init(self.handle, prefix.as_ptr(), &raw mut cursor.cursor) };
        if let Err(status) = Status::check(code) {
            // There is no cursor to close.
            std::mem::forget(cursor);
            return Err(status);
        }
        let mut name: [c_char; NAME_ROOM] = [0; NAME_ROOM];
        loop {
            let mut size = 0;
            let mut kind = 0;
            // SAFETY: the cursor is open; the name has room for the longest key; the other
            // pointers are valid.
            let code = unsafe {
                sys::cmap_iter_next(
                    self.handle,
                    cursor.cursor,
                    name.as_mut_ptr(),
                    &raw mut size,
                    &raw mut kind,
                )
            };
            match code {
                sys::CS_OK => {}
                sys::CS_ERR_NO_SECTIONS => return Ok(()),
                code => return Err(Status(code)),
            }
            // SAFETY: the library ends the name with a NUL, and so does the array's last byte,
            // which the library never reaches.
            let name = unsafe { CStr::from_ptr(name.as_ptr()) };
            each(self, name)?;
        }
    }

    pub(in crate::live) fn keys(&mut self, prefix: &CStr) -> Result<Vec<String>, Status> {
        let mut keys = Vec::new();
        self.iterate(prefix, |_, key| {
            keys.push(key.to_string_lossy().into_owned());
            Ok(())
        })?;
        Ok(keys)
    }

    pub(in crate::live) fn entries(
        &mut self,
        prefix: &CStr,
    ) -> Result<Vec<(String, Value)>, Status> {
        let mut entries = Vec::new();
        self.iterate(prefix, |requests, key| {
            match requests.get(key) {
                Ok(value) => entries.push((key.to_string_lossy().into_owned(), value)),
                // Deleted since the iteration came to it.
                Err(Status::NOT_EXIST) => {}
                Err(status) => return Err(status),
            }
            Ok(())
        })?;
        Ok(entries)
    }

    /// Asks for an event at each change of a key, or of all keys that begin with it.
    pub(in crate::live) fn track(
        &mut self,
        key: Option<&CStr>,
        kinds: &[ChangeKind],
        prefix: bool,
    ) -> Result<TrackId, Status> {
        let mut flags = if prefix { sys::CMAP_TRACK_PREFIX } else { 0 };
        for kind in kinds {
            flags |= match kind {
                ChangeKind::Added => sys::CMAP_TRACK_ADD,
                ChangeKind::Modified => sys::CMAP_TRACK_MODIFY,
                ChangeKind::Deleted => sys::CMAP_TRACK_DELETE,
            };
        }
        let mut track = 0;
        self.spend();
        // SAFETY: the key is NUL-terminated, or null for all keys; no user data is given.
        Status::check(unsafe {
            sys::cmap_track_add(
                self.handle,
                key.map_or(std::ptr::null(), CStr::as_ptr),
                flags,
                Some(on_change),
                std::ptr::null_mut(),
                &raw mut track,
            )
        })?;
        Ok(TrackId(track))
    }

    pub(in crate::live) fn untrack(&mut self, track: TrackId) -> Result<(), Status> {
        self.spend();
        // SAFETY: any number is accepted: the library checks it.
        Status::check(unsafe { sys::cmap_track_delete(self.handle, track.0) })
    }
}

pub(in crate::live) fn dispatch(
    events: &mut Events<Cmap>,
    into: &mut VecDeque<Change>,
) -> Result<(), DispatchError> {
    let handle = events.handle;
    collect(&SLOT, into, |flags| {
        // SAFETY: the token says that no other thread dispatches this handle; `collect` has
        // checked that the stack has room for the library's buffer.
        unsafe { sys::cmap_dispatch(handle, flags) }
    })
}

unsafe extern "C" fn on_change(
    _handle: sys::cmap_handle_t,
    track: sys::cmap_track_handle_t,
    event: i32,
    key: *const c_char,
    new: sys::cmap_notify_value,
    old: sys::cmap_notify_value,
    _user_data: *mut c_void,
) {
    let kind = match event {
        sys::CMAP_TRACK_ADD => ChangeKind::Added,
        sys::CMAP_TRACK_DELETE => ChangeKind::Deleted,
        _ => ChangeKind::Modified,
    };
    // SAFETY: the library lends the key, NUL-terminated, and both values until this callback
    // returns.
    let (key, new_bytes, old_bytes) = unsafe {
        (
            CStr::from_ptr(key).to_string_lossy().into_owned(),
            lent(new.data.cast::<u8>(), new.len),
            lent(old.data.cast::<u8>(), old.len),
        )
    };
    // A value that is not there has the type 0.
    let value = |kind, bytes| (kind != 0).then(|| Value::decode(kind, bytes));
    let (new, old) = (value(new.type_, new_bytes), value(old.type_, old_bytes));
    note(
        &SLOT,
        Change {
            track: TrackId(track),
            kind,
            key,
            new,
            old,
        },
    );
}
