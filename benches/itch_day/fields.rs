//! Reading all that the messages of orders say, through the typed views.

use feeds::nasdaq_itch50::wire as itch;

/// A number of every field of the messages of orders; of other types, their time.
#[inline]
pub fn sum_of(m: &[u8]) -> Option<u64> {
    let text = |t: [u8; 8]| u64::from_be_bytes(t);
    macro_rules! sum {
        ($view:ident: $($field:ident),*; $($text:ident),*) => {{
            let v = itch::$view::read(m).ok()?;
            let head = u64::from(v.stock_locate()) ^ u64::from(v.tracking_number()) ^ v.timestamp();
            head $(^ u64::from(v.$field()))* $(^ text(v.$text()))*
        }};
    }
    Some(match m.first()? {
        b'A' => sum!(AddOrder: order_reference_number, buy_sell_indicator, shares, price; stock),
        b'F' => sum!(AddOrderMpid: order_reference_number, buy_sell_indicator, shares, price; stock),
        b'D' => sum!(OrderDelete: order_reference_number;),
        b'U' => {
            sum!(OrderReplace: original_order_reference_number, new_order_reference_number, shares, price;)
        }
        b'E' => sum!(OrderExecuted: order_reference_number, executed_shares, match_number;),
        b'X' => sum!(OrderCancel: order_reference_number, cancelled_shares;),
        _ => itch::SystemEvent::read(m).ok()?.timestamp(),
    })
}
