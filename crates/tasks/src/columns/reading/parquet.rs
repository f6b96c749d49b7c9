//! Parquet files: the needed columns of the row groups that can match.

mod statistics;

use std::fs::File;

use arrow_schema::SchemaRef;
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{
            ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
            ParquetRecordBatchReaderBuilder,
        },
    },
    basic::Compression,
    errors::ParquetError,
    file::metadata::ParquetMetaData,
};
use triway_core::Failure;

use crate::columns::{
    column::{Batch, Column},
    kinds,
    part::Extent,
    predicate::Bound,
};

/// Rows that are decoded at once.
const BATCH_ROWS: usize = 1 << 14;

/// A file whose footer was read.
pub(in crate::columns) struct Opened {
    file: File,
    metadata: ArrowReaderMetadata,
    groups: Vec<usize>,
}

/// Rows on their way.
pub(in crate::columns) struct Reader {
    rows: ParquetRecordBatchReader,
    skipped: u64,
}

impl Opened {
    pub(super) fn new(file: File, extent: &Extent) -> Result<Self, Failure> {
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new());
        let metadata = metadata.map_err(damaged)?;
        let there = metadata.metadata().num_row_groups();
        let groups = match extent {
            Extent::Whole => (0..there).collect(),
            Extent::RowGroups(range) if range.start <= range.end && range.end <= there => {
                range.clone().collect()
            }
            Extent::RowGroups(_) => return Err(kinds::beyond("row groups", there)),
            Extent::Bytes { .. } | Extent::Batches(_) => return Err(kinds::no_such_part()),
        };
        Ok(Self {
            file,
            metadata,
            groups,
        })
    }

    pub(super) fn schema(&self) -> SchemaRef {
        self.metadata.schema().clone()
    }

    /// How large each row group is.
    pub(in crate::columns) fn group_bytes(&self) -> impl Iterator<Item = u64> {
        self.metadata
            .metadata()
            .row_groups()
            .iter()
            .map(|group| u64::try_from(group.compressed_size()).unwrap_or(0))
    }

    pub(super) fn read(self, columns: &[usize], bound: &Bound) -> Result<Reader, Failure> {
        let all = self.metadata.metadata();
        let wanted = statistics::matching(&self.metadata, &self.groups, bound)?;
        let rows = |group: &usize| all.row_group(*group).num_rows();
        let skipped = self.groups.iter().filter(|group| !wanted.contains(group));
        let skipped = skipped.map(rows).sum::<i64>();
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns.iter().copied());
        check_codecs(all, &wanted, &mask)?;
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(self.file, self.metadata.clone());
        let reader = builder
            .with_projection(mask)
            .with_row_groups(wanted)
            .with_batch_size(BATCH_ROWS)
            .build();
        Ok(Reader {
            rows: reader.map_err(damaged)?,
            skipped: u64::try_from(skipped).unwrap_or(0),
        })
    }
}

impl Reader {
    pub(super) fn next(&mut self) -> Result<Option<Batch>, Failure> {
        let Some(batch) = self.rows.next().transpose().map_err(|error| {
            kinds::bad_file(format!(
                "the Parquet file is damaged or was cut off: {error}"
            ))
        })?
        else {
            return Ok(None);
        };
        let columns = batch.columns().iter().map(Column::of);
        Ok(Some(Batch {
            rows: batch.num_rows(),
            columns: columns.collect::<Result<_, _>>()?,
        }))
    }

    pub(super) fn skipped(&self) -> u64 {
        self.skipped
    }
}

/// Says which codec is missing before anything fails for want of it.
fn check_codecs(
    metadata: &ParquetMetaData,
    groups: &[usize],
    mask: &ProjectionMask,
) -> Result<(), Failure> {
    for group in groups {
        for (place, column) in metadata.row_group(*group).columns().iter().enumerate() {
            let codec = column.compression();
            let known = matches!(
                codec,
                Compression::UNCOMPRESSED
                    | Compression::SNAPPY
                    | Compression::GZIP(_)
                    | Compression::ZSTD(_)
                    | Compression::LZ4
                    | Compression::LZ4_RAW
            );
            if mask.leaf_included(place) && !known {
                let codec = codec.to_string();
                let codec = codec.split('(').next().unwrap_or_default().to_lowercase();
                return Err(Failure::permanent(
                    kinds::CODEC,
                    format!(
                        "the column `{}` is compressed with {codec}; snappy, gzip, zstd and lz4 can be read",
                        column.column_path().string()
                    ),
                ));
            }
        }
    }
    Ok(())
}

fn damaged(error: ParquetError) -> Failure {
    let cause = match error {
        ParquetError::General(cause) | ParquetError::EOF(cause) => cause,
        other => other.to_string(),
    };
    kinds::bad_file(format!(
        "the Parquet file is damaged or was cut off: {cause}"
    ))
}
