//! What each message means, one by one.

use super::*;

/// A refresh of one level with one order behind it.
pub(super) const BOOK: [(usize, &str, i128); 14] = [
    (0, "transact_time", 5),
    (1, "md_entry_px", 1_250_000_000),
    (1, "md_entry_size", 3),
    (1, "security_id", 9),
    (1, "rpt_seq", 21),
    (1, "number_of_orders", 2),
    (1, "md_price_level", 4),
    (1, "md_update_action", 1),
    (1, "md_entry_type", b'1' as i128),
    (2, "order_id", 77),
    (2, "md_order_priority", 1),
    (2, "md_display_qty", 2),
    (2, "reference_id", 1),
    (2, "order_update_action", 0),
];

/// `BOOK` with one field of a part set otherwise.
fn book_with(part: usize, name: &'static str, value: i128) -> Vec<(usize, &'static str, i128)> {
    let mut fields = BOOK.to_vec();
    fields.push((part, name, value));
    fields
}

#[test]
fn a_level_and_the_order_behind_it_become_events_in_one_scale() {
    let level = |price: i64| {
        [
            "5 InstrumentSequence { key: Number(9), sequence: 21 }".to_string(),
            format!(
                "5 LevelAt {{ key: Number(9), ladder: Outright, action: Change, side: Ask, position: 4, price: {price}, quantity: 3, orders: 2 }}"
            ),
            format!(
                "5 OrderAdd {{ key: Number(9), symbol: [], order: 77, side: Ask, price: {price}, quantity: 2 }}"
            ),
        ]
    };
    // 125.00 with 7 decimals in the old templates, 1.25 with 9 in the new ones.
    assert_eq!(events(&message(32, 8, &BOOK)).1, level(125_000_000_000));
    assert_eq!(events(&message(46, 12, &BOOK)).1, level(1_250_000_000));
    assert_eq!(events(&message(64, 12, &BOOK)).1, level(1_250_000_000));
}

#[test]
fn orders_change_and_go_by_their_own_action() {
    let third = |action: i128| events(&message(46, 12, &book_with(2, "order_update_action", action)));
    assert_eq!(
        third(1).1[2],
        "5 OrderPut { key: Number(9), order: 77, side: Ask, price: 1250000000, quantity: 2, known: true }"
    );
    assert_eq!(third(2).1[2], "5 OrderDelete { key: Number(9), order: 77 }");
    assert_eq!(third(3).0.unwrap_err().kind, ErrorKind::BadValue);
}

#[test]
fn every_entry_type_and_action_has_its_place() {
    let level = |fields: &[(usize, &str, i128)]| events(&message(46, 12, fields));
    for (code, place) in [
        ('0', "ladder: Outright, action: Change, side: Bid"),
        ('1', "ladder: Outright, action: Change, side: Ask"),
        ('E', "ladder: Implied, action: Change, side: Bid"),
        ('F', "ladder: Implied, action: Change, side: Ask"),
    ] {
        let out = level(&book_with(1, "md_entry_type", code as i128)).1;
        assert!(out[1].contains(place), "{out:?}");
    }
    for (code, name) in ["New", "Change", "Delete", "DeleteThru", "DeleteFrom", "Overlay"].iter().enumerate()
    {
        let out = level(&book_with(1, "md_update_action", code as i128)).1;
        assert!(out[1].contains(&format!("action: {name},")), "{out:?}");
    }
    assert_eq!(level(&book_with(1, "md_update_action", 6)).0.unwrap_err().kind, ErrorKind::BadValue);
    assert_eq!(level(&book_with(1, "md_entry_type", b'J'.into())).1[1], "5 Clear { key: Some(Number(9)) }");
}

#[test]
fn nulls_are_no_prices_and_no_quantities() {
    let (px, size) = (i64::MAX.into(), i32::MAX.into());
    let mut fields = book_with(1, "md_entry_px", px);
    fields.extend([(1, "md_update_action", 2), (1, "md_entry_size", size), (1, "number_of_orders", size)]);
    fields.extend([(2, "order_update_action", 2), (1, "rpt_seq", 0)]);
    let gone = "5 LevelAt { key: Number(9), ladder: Outright, action: Delete, side: Ask, position: 4, price: 0, quantity: 0, orders: 0 }";
    assert_eq!(events(&message(46, 12, &fields)).1, [gone, "5 OrderDelete { key: Number(9), order: 77 }"]);
    // A level that comes without a price contradicts itself, and so does a price beyond the scale.
    assert_eq!(
        events(&message(46, 12, &book_with(1, "md_entry_px", px))).0.unwrap_err().kind,
        ErrorKind::BadValue
    );
    let beyond = book_with(1, "md_entry_px", i128::from(i64::MAX) - 1);
    assert_eq!(events(&message(32, 8, &beyond)).0.unwrap_err().kind, ErrorKind::BadValue);
    assert_eq!(
        events(&message(46, 12, &book_with(1, "md_entry_size", -1))).0.unwrap_err().kind,
        ErrorKind::BadValue
    );
}

#[test]
fn an_order_that_points_at_no_entry_is_a_bad_value() {
    for reference in [0, 2, 255] {
        let (result, out) = events(&message(46, 12, &book_with(2, "reference_id", reference)));
        let error = result.unwrap_err();
        assert_eq!(
            (error.kind, error.message, error.had),
            (ErrorKind::BadValue, "reference_id", reference as usize)
        );
        assert_eq!(out.len(), 2);
    }
}

#[test]
fn order_books_speak_of_orders_only() {
    let order = |action: i128| {
        let fields = [
            (0, "transact_time", 5),
            (1, "order_id", 77),
            (1, "md_entry_px", -250),
            (1, "md_display_qty", 6),
            (1, "security_id", 9),
            (1, "md_update_action", action),
            (1, "md_entry_type", b'0'.into()),
        ];
        events(&message(47, 12, &fields)).1
    };
    assert_eq!(
        order(0),
        ["5 OrderAdd { key: Number(9), symbol: [], order: 77, side: Bid, price: -250, quantity: 6 }"]
    );
    assert_eq!(
        order(1),
        ["5 OrderPut { key: Number(9), order: 77, side: Bid, price: -250, quantity: 6, known: true }"]
    );
    assert_eq!(order(2), ["5 OrderDelete { key: Number(9), order: 77 }"]);
}

#[test]
fn trades_are_told_and_corrections_only_numbered() {
    for (template, price) in [(36, 700), (42, 700), (48, 7), (65, 7)] {
        let trade = |update: i128| {
            let fields = [
                (0, "transact_time", 5),
                (1, "md_entry_px", 7),
                (1, "md_entry_size", 2),
                (1, "security_id", 9),
                (1, "rpt_seq", 3),
                (1, "md_update_action", update),
            ];
            events(&message(template, 12, &fields)).1
        };
        let numbered = "5 InstrumentSequence { key: Number(9), sequence: 3 }".to_string();
        let told = format!("5 Trade {{ key: Number(9), symbol: [], price: {price}, quantity: 2 }}");
        assert_eq!(trade(0), [numbered.clone(), told]);
        assert_eq!(trade(2), [numbered]);
    }
}

#[test]
fn statistics_take_a_number_of_their_instrument() {
    for template in [33, 34, 35, 37, 49, 50, 51, 66, 67] {
        let bytes =
            message(template, 12, &[(0, "transact_time", 5), (1, "security_id", 9), (1, "rpt_seq", 4)]);
        assert_eq!(events(&bytes).1, ["5 InstrumentSequence { key: Number(9), sequence: 4 }"], "{template}");
    }
}

#[test]
fn snapshots_restate_the_levels_of_an_instrument() {
    for (template, price) in [(38, 700), (52, 7), (69, 7)] {
        let fields = [
            (0, "last_msg_seq_num_processed", 1000),
            (0, "security_id", 9),
            (0, "rpt_seq", 4),
            (0, "transact_time", 5),
            (0, "md_security_trading_status", 17),
            (1, "md_entry_px", 7),
            (1, "md_entry_size", 2),
            (1, "number_of_orders", 1),
            (1, "md_price_level", 1),
            (1, "md_entry_type", b'E'.into()),
        ];
        assert_eq!(
            events(&message(template, 12, &fields)).1,
            [
                "5 Snapshot { key: Number(9), last_sequence: Some(1000), instrument_sequence: Some(4) }"
                    .to_string(),
                format!(
                    "5 LevelAt {{ key: Number(9), ladder: Implied, action: New, side: Bid, position: 1, price: {price}, quantity: 2, orders: 1 }}"
                ),
                "5 State { scope: Instrument(Number(9)), symbol: [], state: Trading }".to_string(),
            ]
        );
    }
    for template in [61, 68] {
        // A settlement price is no level.
        let fields = [(0, "transact_time", 5), (0, "security_id", 9), (1, "md_entry_type", b'6'.into())];
        assert_eq!(
            events(&message(template, 12, &fields)).1,
            ["5 Snapshot { key: Number(9), last_sequence: None, instrument_sequence: None }"]
        );
    }
}

#[test]
fn only_the_first_chunk_of_an_order_book_empties_it() {
    let chunk = |n: i128| {
        let fields = [
            (0, "last_msg_seq_num_processed", 1000),
            (0, "security_id", 9),
            (0, "no_chunks", 2),
            (0, "current_chunk", n),
            (0, "transact_time", 5),
            (1, "order_id", 77),
            (1, "md_entry_px", 7),
            (1, "md_display_qty", 6),
            (1, "md_entry_type", b'1'.into()),
        ];
        events(&message(53, 12, &fields)).1
    };
    let order = "5 OrderAdd { key: Number(9), symbol: [], order: 77, side: Ask, price: 7, quantity: 6 }";
    assert_eq!(
        chunk(1),
        ["5 Snapshot { key: Number(9), last_sequence: Some(1000), instrument_sequence: None }", order]
    );
    assert_eq!(chunk(2), [order]);
}

#[test]
fn definitions_name_instruments_whatever_their_kind() {
    let es = i128::from_le_bytes(*b"ES\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let symbol = i128::from_le_bytes(*b"ESM6\0\0\0\0\0\0\0\0\0\0\0\0");
    for (template, tick) in
        [(27, 2500), (29, 2500), (41, 2500), (54, 25), (55, 25), (56, 25), (57, 25), (58, 25), (63, 25)]
    {
        let layout = MESSAGES[usize::from(INDEX[template])];
        let define = |action: u8| {
            let fill = |part: usize, rows: &[Row], block: &mut [u8]| {
                if part == 0 {
                    put(rows, block, "last_update_time", 5);
                    put(rows, block, "security_id", 9);
                    put(rows, block, "security_group", es);
                    put(rows, block, "security_update_action", action.into());
                    put(rows, block, "min_price_increment", 25);
                    block[45..49].copy_from_slice(&symbol.to_le_bytes()[..4]);
                }
            };
            events(&build(layout, 12, 0, fill).bytes).1
        };
        let defined = format!(
            "5 Define(Definition {{ number: Some(9), symbol: {:?}, price_decimals: None, round_lot: None, tick_nanos: Some({tick}), listing: 0, group: {:?}, test: false }})",
            b"ESM6", b"ES"
        );
        assert_eq!(define(b'A'), core::slice::from_ref(&defined), "{template}");
        let closed =
            format!("5 State {{ scope: Instrument(Number(9)), symbol: {:?}, state: Closed }}", b"ESM6");
        assert_eq!(define(b'D'), [defined, closed], "{template}");
    }
}

#[test]
fn security_status_reaches_an_instrument_a_group_or_all() {
    let none = i128::from(i32::MAX);
    let es = i128::from_le_bytes(*b"ES\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let status = |group: i128, id: i128, code: i128| {
        let fields = [
            (0, "transact_time", 5),
            (0, "security_group", group),
            (0, "security_id", id),
            (0, "security_trading_status", code),
        ];
        events(&message(30, 9, &fields)).1
    };
    assert_eq!(status(es, 9, 2), ["5 State { scope: Instrument(Number(9)), symbol: [], state: Halted }"]);
    assert_eq!(
        status(es, none, 21),
        [format!("5 State {{ scope: Group({:?}), symbol: [], state: Auction }}", b"ES")]
    );
    assert_eq!(status(0, none, 4), ["5 State { scope: All, symbol: [], state: Closed }"]);
    for (code, state) in [
        (2, "Halted"),
        (4, "Closed"),
        (15, "Auction"),
        (17, "Trading"),
        (18, "Closed"),
        (20, "Unknown"),
        (21, "Auction"),
        (24, "Auction"),
        (25, "Auction"),
        (26, "Closed"),
    ] {
        assert_eq!(status(0, none, code), [format!("5 State {{ scope: All, symbol: [], state: {state} }}")]);
    }
    assert_eq!(status(es, 9, 103), Vec::<String>::new());
    assert_eq!(status(es, 9, 255), Vec::<String>::new());
}

#[test]
fn a_channel_reset_empties_every_book() {
    assert_eq!(events(&message(4, 9, &[(0, "transact_time", 5)])).1, ["5 Clear { key: None }"]);
}
