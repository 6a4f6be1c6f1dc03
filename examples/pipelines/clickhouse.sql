-- SPDX-License-Identifier: Apache-2.0
-- ClickHouse 24 and later: lines as they are, what is asked for often in columns of its own. NOT RUN HERE.
-- clickhouse-client --query "INSERT INTO oomtrace_lines (line) FORMAT LineAsString" < events.ndjson
CREATE TABLE oomtrace_lines
(
    line String CODEC(ZSTD(3)),
    trace_id String MATERIALIZED JSONExtractString(line, 'trace_id'),
    seq UInt64 MATERIALIZED JSONExtractUInt(line, 'seq'),
    ts DateTime64(9, 'UTC') MATERIALIZED parseDateTime64BestEffortOrZero(JSONExtractString(line, 'ts'), 9, 'UTC'),
    event LowCardinality(String) MATERIALIZED JSONExtractString(line, 'event'),
    host LowCardinality(String) MATERIALIZED JSONExtractString(line, 'host', 'name'),
    boot_id String MATERIALIZED JSONExtractString(line, 'boot_id'),
    pid UInt32 MATERIALIZED JSONExtractUInt(line, 'process', 'pid'),
    start_boot_ns UInt64 MATERIALIZED JSONExtractUInt(line, 'process', 'start_boot_ns'),
    slurm_job String MATERIALIZED JSONExtractString(line, 'slurm', 'job', 'id'),
    pod_uid String MATERIALIZED JSONExtractString(line, 'k8s', 'pod', 'uid')
)
-- Lines that were delivered twice become one.
ENGINE = ReplacingMergeTree
ORDER BY (trace_id, seq)
PARTITION BY toYYYYMM(ts);

-- Kills per job and node.
SELECT slurm_job, host, count() AS kills, min(ts) AS first
FROM oomtrace_lines FINAL
WHERE event = 'oom.kill'
GROUP BY slurm_job, host
ORDER BY kills DESC;

-- Everything of one trace, for `oomtrace report -`.
SELECT line FROM oomtrace_lines FINAL WHERE trace_id = {trace_id:String} ORDER BY seq FORMAT LineAsString;
