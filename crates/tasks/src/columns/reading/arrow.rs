//! Arrow IPC files: their columns are looked at where they stand in memory, not copied.

use std::sync::Arc;

use arrow_buffer::Buffer;
use arrow_ipc::{
    Block, Footer,
    convert::try_fb_to_schema,
    reader::{FileDecoder, read_footer_length},
    root_as_footer,
};
use arrow_schema::{ArrowError, SchemaRef};
use bytes::Bytes;
use triway_core::Failure;

use crate::columns::{
    column::{Batch, Column},
    kinds,
    part::Extent,
};

/// What a file ends with: the length of the footer and `ARROW1`.
const TRAILER_BYTES: usize = 10;

/// A file whose footer was read.
pub(in crate::columns) struct Opened {
    buffer: Buffer,
    schema: SchemaRef,
    version: arrow_ipc::MetadataVersion,
    dictionaries: Vec<Block>,
    batches: Vec<Block>,
}

/// Batches on their way.
pub(in crate::columns) struct Reader {
    buffer: Buffer,
    decoder: FileDecoder,
    batches: std::vec::IntoIter<Block>,
}

impl Opened {
    pub(super) fn new(bytes: Bytes, extent: &Extent) -> Result<Self, Failure> {
        let buffer = Buffer::from(bytes);
        let opened = open(buffer).map_err(damaged)?;
        let there = opened.batches.len();
        let batches = match extent {
            Extent::Whole => Some(opened.batches.clone()),
            Extent::Batches(range) => opened.batches.get(range.clone()).map(<[Block]>::to_vec),
            Extent::Bytes { .. } | Extent::RowGroups(_) => return Err(kinds::no_such_part()),
        };
        Ok(Self {
            batches: batches.ok_or_else(|| kinds::beyond("record batches", there))?,
            ..opened
        })
    }

    pub(super) fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// How large each batch is.
    pub(in crate::columns) fn batch_bytes(&self) -> impl Iterator<Item = u64> {
        self.batches
            .iter()
            .map(|block| u64::try_from(block.bodyLength()).unwrap_or(0))
    }

    pub(super) fn read(self, columns: &[usize]) -> Result<Reader, Failure> {
        let decoder = FileDecoder::new(self.schema, self.version);
        let mut decoder = decoder.with_projection(columns.to_vec());
        for block in &self.dictionaries {
            let body = slice(&self.buffer, block).map_err(damaged)?;
            decoder.read_dictionary(block, &body).map_err(damaged)?;
        }
        Ok(Reader {
            buffer: self.buffer,
            decoder,
            batches: self.batches.into_iter(),
        })
    }
}

impl Reader {
    pub(super) fn next(&mut self) -> Result<Option<Batch>, Failure> {
        let Some(block) = self.batches.next() else {
            return Ok(None);
        };
        let body = slice(&self.buffer, &block).map_err(damaged)?;
        let batch = self.decoder.read_record_batch(&block, &body);
        let Some(batch) = batch.map_err(damaged)? else {
            return Err(damaged(ArrowError::IpcError(
                "a batch is missing".to_owned(),
            )));
        };
        let columns = batch.columns().iter().map(Column::of);
        Ok(Some(Batch {
            rows: batch.num_rows(),
            columns: columns.collect::<Result<_, _>>()?,
        }))
    }
}

fn open(buffer: Buffer) -> Result<Opened, ArrowError> {
    let broken = |what: &str| ArrowError::IpcError(what.to_owned());
    let trailer = buffer.len().checked_sub(TRAILER_BYTES);
    let trailer = trailer.ok_or_else(|| broken("it is shorter than its own frame"))?;
    let last = buffer[trailer..]
        .try_into()
        .map_err(|_| broken("no trailer"))?;
    let footer = trailer.checked_sub(read_footer_length(last)?);
    let footer = footer.ok_or_else(|| broken("its footer is longer than the file"))?;
    let footer = root_as_footer(&buffer[footer..trailer])
        .map_err(|error| ArrowError::IpcError(format!("its footer does not parse: {error}")))?;
    let schema = footer.schema().ok_or_else(|| broken("it has no schema"))?;
    Ok(Opened {
        schema: Arc::new(try_fb_to_schema(schema)?),
        version: footer.version(),
        dictionaries: dictionaries(&footer),
        batches: batches(&footer),
        buffer,
    })
}

fn dictionaries(footer: &Footer<'_>) -> Vec<Block> {
    footer.dictionaries().iter().flatten().copied().collect()
}

fn batches(footer: &Footer<'_>) -> Vec<Block> {
    footer.recordBatches().iter().flatten().copied().collect()
}

/// A block of the file, not copied.
fn slice(buffer: &Buffer, block: &Block) -> Result<Buffer, ArrowError> {
    let outside = || ArrowError::IpcError("it points beyond its own end".to_owned());
    let start = usize::try_from(block.offset()).map_err(|_| outside())?;
    let head = usize::try_from(block.metaDataLength()).map_err(|_| outside())?;
    let body = usize::try_from(block.bodyLength()).map_err(|_| outside())?;
    let length = head.checked_add(body).ok_or_else(outside)?;
    match start.checked_add(length) {
        Some(end) if end <= buffer.len() => Ok(buffer.slice_with_length(start, length)),
        _ => Err(outside()),
    }
}

fn damaged(error: ArrowError) -> Failure {
    let cause = match error {
        ArrowError::IpcError(cause) | ArrowError::ParseError(cause) => cause,
        other => other.to_string(),
    };
    kinds::bad_file(format!(
        "the Arrow IPC file is damaged or was cut off: {cause}"
    ))
}
