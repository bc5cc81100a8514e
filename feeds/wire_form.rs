//! The form in which layouts are declared: [`wire!`](crate::wire!) makes everything of a message from one table.
//! It only writes code; what that code uses is in [`crate::wire`].

/// Declares layouts.
///
/// ```text
/// wire! {
///     /// Add Order, no MPID attribution (1.3.1).
///     message AddOrder "add_order", tag b'A', header 1, len 36 {
///         0 message_type: Char,
///         1 stock_locate: U16,
///         ...
///     }
///     optional { 36 added_in_a_later_version: U8, }      // may be left out
///     values AddOrderValues                              // may be left out: an owned form that can be written
///     parts [Part::Group(&LEG)]                          // may be left out
///     ;
///
///     /// One entry of a repeating group.
///     group Leg LEG "legs", Dimension::CountThenLengths { count: "number_of_legs" }, len 26 {
///         0 leg_body_length: U8,
///         ...
///     };
///
///     /// A header or other structure that is read but never dispatched on.
///     block PacketHeader "packet_header", len 20 { ... };
/// }
/// ```
///
/// Offsets and the total are checked at compile time: a table that contradicts itself does not build.
#[macro_export]
macro_rules! wire {
    () => {};
    ($(#[$m:meta])* message $name:ident $text:literal, tag $tag:expr, header $header:literal, len $len:literal
        { $($(#[$fm:meta])* $off:literal $field:ident : $ty:ty),* $(,)? }
        $(optional { $($(#[$om:meta])* $ooff:literal $ofield:ident : $oty:ty),* $(,)? })?
        $(values $values:ident)?
        $(parts [$($part:expr),* $(,)?])?
        ; $($rest:tt)*) => {
        $crate::wire!(@view $(#[$m])* $name $text, $len
            { $($(#[$fm])* $off $field : $ty),* } { $($($(#[$om])* $ooff $ofield : $oty),*)? });
        impl $name<'_> {
            /// Type code or template id on the wire.
            pub const TAG: u32 = $tag as u32;
            /// The whole table.
            pub const LAYOUT: $crate::wire::Layout = $crate::wire::Layout {
                name: $text, tag: $tag as u32, header_len: $header, rows: Self::ROWS, optional: Self::OPTIONAL,
                len: $len, parts: &[$($($part),*)?],
            };
        }
        $crate::wire!(@values $name [$($values)?], $len { $($off $field : $ty),* });
        $crate::wire! { $($rest)* }
    };
    ($(#[$m:meta])* group $name:ident $group:ident $text:literal, $dimension:expr, len $len:literal
        { $($(#[$fm:meta])* $off:literal $field:ident : $ty:ty),* $(,)? }
        $(optional { $($(#[$om:meta])* $ooff:literal $ofield:ident : $oty:ty),* $(,)? })?
        $(values $values:ident)?
        ; $($rest:tt)*) => {
        $crate::wire!(@view $(#[$m])* $name $text, $len
            { $($(#[$fm])* $off $field : $ty),* } { $($($(#[$om])* $ooff $ofield : $oty),*)? });
        $crate::wire!(@values $name [$($values)?], $len { $($off $field : $ty),* });
        $(#[$m])*
        pub static $group: $crate::wire::Group = $crate::wire::Group {
            name: $text, dimension: $dimension, rows: $name::ROWS, optional: $name::OPTIONAL, len: $len,
        };
        $crate::wire! { $($rest)* }
    };
    ($(#[$m:meta])* block $name:ident $text:literal, len $len:literal
        { $($(#[$fm:meta])* $off:literal $field:ident : $ty:ty),* $(,)? }
        $(optional { $($(#[$om:meta])* $ooff:literal $ofield:ident : $oty:ty),* $(,)? })?
        $(values $values:ident)?
        ; $($rest:tt)*) => {
        $crate::wire!(@view $(#[$m])* $name $text, $len
            { $($(#[$fm])* $off $field : $ty),* } { $($($(#[$om])* $ooff $ofield : $oty),*)? });
        $crate::wire!(@values $name [$($values)?], $len { $($off $field : $ty),* });
        $crate::wire! { $($rest)* }
    };
    (@view $(#[$m:meta])* $name:ident $text:literal, $len:literal
        { $($(#[$fm:meta])* $off:literal $field:ident : $ty:ty),* }
        { $($(#[$om:meta])* $ooff:literal $ofield:ident : $oty:ty),* }) => {
        $(#[$m])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name<'a> {
            required: &'a [u8; $len],
            rest: &'a [u8],
        }
        #[allow(unused_assignments, unused_mut)]
        const _: () = {
            let mut at = 0usize;
            $(
                assert!(at == $off, concat!(stringify!($name), ".", stringify!($field), ": offset contradicts the fields before it"));
                at += <$ty as $crate::wire::Field>::LEN;
            )*
            assert!(at == $len, concat!(stringify!($name), ": length contradicts its fields"));
            $(
                assert!(at == $ooff, concat!(stringify!($name), ".", stringify!($ofield), ": offset contradicts the fields before it"));
                at += <$oty as $crate::wire::Field>::LEN;
            )*
        };
        #[allow(dead_code)]
        impl<'a> $name<'a> {
            /// The specification's name in `snake_case`.
            pub const NAME: &'static str = $text;
            /// Bytes that every version has.
            pub const LEN: usize = $len;
            /// Rows that every version has.
            pub const ROWS: &'static [$crate::wire::Row] = &[$($crate::wire::Row {
                offset: $off, name: stringify!($field), len: <$ty as $crate::wire::Field>::LEN,
                kind: <$ty as $crate::wire::Field>::KIND,
            }),*];
            /// Rows that later versions append.
            pub const OPTIONAL: &'static [$crate::wire::Row] = &[$($crate::wire::Row {
                offset: $ooff, name: stringify!($ofield), len: <$oty as $crate::wire::Field>::LEN,
                kind: <$oty as $crate::wire::Field>::KIND,
            }),*];
            /// Bytes behind the declared ones: a later version's fields, or the message's other parts.
            #[inline]
            pub fn rest(&self) -> &'a [u8] {
                self.rest
            }
            /// Takes the view; what lies behind the declared fields is kept for later versions' fields.
            ///
            /// # Errors
            /// `Truncated` when fewer than [`Self::LEN`] bytes are there.
            #[inline]
            pub fn read(bytes: &'a [u8]) -> Result<Self, $crate::wire::WireError> {
                match bytes.split_first_chunk::<$len>() {
                    Some((required, rest)) => Ok($name { required, rest }),
                    None => Err($crate::wire::WireError::truncated($text, 0, $len, bytes.len())),
                }
            }
            $(
                $(#[$fm])*
                #[doc = concat!("`", stringify!($field), "`, bytes from ", $off, ".")]
                #[inline]
                pub fn $field(&self) -> <$ty as $crate::wire::Field>::Value {
                    <$ty as $crate::wire::Field>::get(&self.required[$off..$off + <$ty as $crate::wire::Field>::LEN])
                }
            )*
            $(
                $(#[$om])*
                #[doc = concat!("`", stringify!($ofield), "`, bytes from ", $ooff, "; `None` in versions without it.")]
                #[inline]
                pub fn $ofield(&self) -> Option<<$oty as $crate::wire::Field>::Value> {
                    let from = $ooff - $len;
                    self.rest.get(from..from + <$oty as $crate::wire::Field>::LEN).map(<$oty as $crate::wire::Field>::get)
                }
            )*
        }
    };
    (@values $name:ident [], $len:literal { $($rows:tt)* }) => {};
    (@values $name:ident [$values:ident], $len:literal
        { $($off:literal $field:ident : $ty:ty),* }) => {
        #[doc = concat!("Owned values of [`", stringify!($name), "`], to be written.")]
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub struct $values {
            $(
                #[doc = concat!("`", stringify!($field), "`, bytes from ", $off, ".")]
                pub $field: <$ty as $crate::wire::Field>::Value
            ),*
        }
        impl $values {
            /// Bytes on the wire.
            pub const LEN: usize = $len;
            /// The message on the wire.
            #[inline]
            pub fn encode(&self) -> [u8; $len] {
                let mut out = [0u8; $len];
                $( <$ty as $crate::wire::Field>::put(self.$field, &mut out[$off..$off + <$ty as $crate::wire::Field>::LEN]); )*
                out
            }
        }
        impl From<$name<'_>> for $values {
            fn from(view: $name<'_>) -> Self {
                $values { $($field: view.$field()),* }
            }
        }
    };
}
