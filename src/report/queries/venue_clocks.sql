SELECT s.name AS source, sum(i.stamps) AS stamps, sum(i.negative) AS after_receipt, sum(i.backwards) AS backwards,
    min(i.least_ns) AS least_ns, max(i.greatest_ns) AS greatest_ns, max(i.worst_back_ns) AS worst_back_ns
FROM {clock} i JOIN source s USING (source) GROUP BY s.source ORDER BY s.name
