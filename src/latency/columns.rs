//! The columns in which latencies are shown: those that the US tape publishes, between the smallest and the largest.

use serde::Serialize;

use super::{Distribution, Percentiles, SeriesSummary};

/// One row of them, nanoseconds; `None` without values. Summaries and comparisons write it with these names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Columns {
    /// Smallest.
    pub min_ns: Option<i64>,
    /// 10 %.
    pub p10_ns: Option<i64>,
    /// Median.
    pub p50_ns: Option<i64>,
    /// 90 %.
    pub p90_ns: Option<i64>,
    /// 95 %.
    pub p95_ns: Option<i64>,
    /// 99 %.
    pub p99_ns: Option<i64>,
    /// 99.9 %.
    pub p999_ns: Option<i64>,
    /// 99.99 %.
    pub p9999_ns: Option<i64>,
    /// Largest.
    pub max_ns: Option<i64>,
}

impl Columns {
    fn new(min_ns: Option<i64>, percentiles: Option<Percentiles>, max_ns: Option<i64>) -> Columns {
        let at = |nth: usize| percentiles.as_ref().map(|Percentiles(p)| p[nth]);
        Columns {
            min_ns,
            p10_ns: at(0),
            p50_ns: at(1),
            p90_ns: at(2),
            p95_ns: at(3),
            p99_ns: at(4),
            p999_ns: at(5),
            p9999_ns: at(6),
            max_ns,
        }
    }

    /// Each with the name that people read, in order.
    #[must_use]
    pub fn named(&self) -> [(&'static str, Option<i64>); 9] {
        [
            ("min", self.min_ns),
            ("p10", self.p10_ns),
            ("p50", self.p50_ns),
            ("p90", self.p90_ns),
            ("p95", self.p95_ns),
            ("p99", self.p99_ns),
            ("p99.9", self.p999_ns),
            ("p99.99", self.p9999_ns),
            ("max", self.max_ns),
        ]
    }
}

impl From<&SeriesSummary> for Columns {
    fn from(series: &SeriesSummary) -> Columns {
        Columns::new(series.min, series.percentiles, series.max)
    }
}

impl From<&Distribution> for Columns {
    fn from(values: &Distribution) -> Columns {
        Columns::new(values.min(), values.percentiles(), values.max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_the_quantiles_in_order() {
        let mut values = Distribution::default();
        (1..=10_000).for_each(|n| values.add(n, 1).unwrap());
        let columns = Columns::from(&values);
        let shown: Vec<i64> = columns.named().iter().filter_map(|(_, ns)| *ns).collect();
        assert_eq!(shown.len(), 9);
        assert!(shown.is_sorted() && shown[0] == 1 && shown[8] == 10_000, "{shown:?}");
        let labels: Vec<&str> = columns.named()[1..8].iter().map(|(name, _)| *name).collect();
        assert_eq!(labels, super::super::QUANTILES.map(|quantile| quantile.label));
        assert_eq!(Columns::from(&Distribution::default()), Columns::default());
        let json = serde_json::to_string(&Columns { min_ns: Some(-1), ..Columns::default() }).unwrap();
        assert!(json.starts_with("{\"min_ns\":-1,\"p10_ns\":null,"), "{json}");
    }
}
