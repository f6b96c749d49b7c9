//! Where URLs to check stand: in sitemaps, Markdown and HTML. One kind of document a file, each a pure function from a
//! document to its links; whoever calls reads files and answers of servers.

pub mod html;
mod lines;
mod links;
pub mod markdown;
pub mod sitemap;

pub use self::links::{Link, Links};
