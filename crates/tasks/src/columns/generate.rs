//! Example data: the same rows each time, as CSV, Parquet or Arrow IPC.

use std::{
    io::{self, Write},
    sync::Arc,
};

use arrow_array::{
    Array as _, ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use fastrand::Rng;
use parquet::{
    arrow::ArrowWriter, basic::Compression, errors::ParquetError,
    file::properties::WriterProperties,
};

/// Rows that are made and written at once.
const BATCH_ROWS: u64 = 1 << 16;

/// Rows of a row group of Parquet.
const GROUP_ROWS: usize = 1 << 20;

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// CSV with a header.
    Csv,
    /// Parquet, compressed with snappy.
    Parquet,
    /// An Arrow IPC file.
    Arrow,
}

impl Format {
    /// What such a file's name ends with.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
        }
    }
}

/// Writes the rows of the file with this number: `x`, a whole number below 100; `price`, a float, one in ten missing;
/// `kind`, a letter from a to e; `day`, a date.
///
/// # Errors
/// They cannot be written.
pub fn write(number: u64, rows: u64, format: Format, to: impl Write + Send) -> io::Result<()> {
    let batches = batches(number, rows);
    match format {
        Format::Csv => csv(batches, to),
        Format::Parquet => parquet(batches, to).map_err(io::Error::other),
        Format::Arrow => arrow(&table(), batches, to).map_err(io::Error::other),
    }
}

/// An Arrow IPC file in memory with one column, `x`: whole numbers below 100.
///
/// # Errors
/// There is no memory.
pub fn numbers(number: u64, rows: u64) -> io::Result<Vec<u8>> {
    let schema = Arc::new(Schema::new(vec![Field::new("x", DataType::Int64, false)]));
    let mut random = Rng::with_seed(number);
    let values: Int64Array = (0..rows).map(|_| Some(random.i64(0..100))).collect();
    let batch = RecordBatch::try_new(schema.clone(), vec![Arc::new(plain(&values))]);
    let mut bytes = Vec::new();
    batch
        .and_then(|batch| arrow(&schema, [batch].into_iter(), &mut bytes))
        .map_err(io::Error::other)?;
    Ok(bytes)
}

/// Without the note that every value is there.
fn plain(values: &Int64Array) -> Int64Array {
    Int64Array::new(values.values().clone(), None)
}

fn table() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("x", DataType::Int64, false),
        Field::new("price", DataType::Float64, true),
        Field::new("kind", DataType::Utf8, false),
        Field::new("day", DataType::Date32, false),
    ]))
}

fn batches(number: u64, rows: u64) -> impl Iterator<Item = RecordBatch> {
    let schema = table();
    let mut random = Rng::with_seed(number);
    let mut left = rows;
    std::iter::from_fn(move || {
        let rows = left.min(BATCH_ROWS);
        left -= rows;
        (rows > 0).then(|| batch(&schema, rows, &mut random))
    })
}

/// 1 January 2026 in days since 1970.
const FIRST_DAY: i32 = 20_454;

fn batch(schema: &SchemaRef, rows: u64, random: &mut Rng) -> RecordBatch {
    const KINDS: [&str; 5] = ["a", "b", "c", "d", "e"];
    let x: Int64Array = (0..rows).map(|_| Some(random.i64(0..100))).collect();
    let price = |_| (random.u8(0..10) > 0).then(|| f64::from(random.u32(0..100_000)) / 100.0);
    let price: Float64Array = (0..rows).map(price).collect();
    let kind: StringArray = (0..rows).map(|_| random.choice(KINDS)).collect();
    let day: Date32Array = (0..rows)
        .map(|_| Some(FIRST_DAY + random.i32(0..365)))
        .collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(plain(&x)),
        Arc::new(price),
        Arc::new(kind),
        Arc::new(day),
    ];
    RecordBatch::try_new(schema.clone(), columns).expect("the columns are those of the schema")
}

fn csv(batches: impl Iterator<Item = RecordBatch>, mut to: impl Write) -> io::Result<()> {
    let mut text = Vec::new();
    to.write_all(b"x,price,kind,day\n")?;
    for batch in batches {
        text.clear();
        let columns = batch.columns();
        let x: &Int64Array = columns[0].as_any().downcast_ref().expect("as made above");
        let price: &Float64Array = columns[1].as_any().downcast_ref().expect("as made above");
        let kind: &StringArray = columns[2].as_any().downcast_ref().expect("as made above");
        let day: &Date32Array = columns[3].as_any().downcast_ref().expect("as made above");
        for row in 0..batch.num_rows() {
            write!(text, "{},", x.value(row))?;
            if price.is_valid(row) {
                write!(text, "{}", price.value(row))?;
            }
            let day = day.value_as_date(row).unwrap_or_default();
            writeln!(text, ",{},{day}", kind.value(row))?;
        }
        to.write_all(&text)?;
    }
    to.flush()
}

fn parquet(
    batches: impl Iterator<Item = RecordBatch>,
    to: impl Write + Send,
) -> Result<(), ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .build();
    let mut writer = ArrowWriter::try_new(to, table(), Some(properties))?;
    for batch in batches {
        writer.write(&batch)?;
    }
    writer.close()?;
    Ok(())
}

fn arrow(
    schema: &SchemaRef,
    batches: impl Iterator<Item = RecordBatch>,
    to: impl Write,
) -> Result<(), ArrowError> {
    let mut writer = FileWriter::try_new(to, schema)?;
    for batch in batches {
        writer.write(&batch)?;
    }
    writer.finish()?;
    Ok(())
}
