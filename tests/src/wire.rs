//! Bytes on a connection -> HTTP/1.1 requests as they were written, and answers -> bytes. I/O: the connection passed in.
//!
//! Small and by hand because the doubles must see headers in the case in which they were sent, stop in the middle of a
//! request and break a connection at any point.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const MOST_HEADERS: usize = 100;
const READ_AT_ONCE: usize = 16 * 1024;

/// Method, target and headers of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// `POST`.
    pub method: String,
    /// The request target as sent, such as `/path?query`.
    pub target: String,
    /// Names in the case and order in which they were sent; values that are not UTF-8 have replacement characters.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(sent, _)| sent.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn content_length(&self) -> usize {
        self.header("content-length").and_then(|value| value.trim().parse().ok()).unwrap_or(0)
    }

    fn is_chunked(&self) -> bool {
        self.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
    }
}

/// What a double answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers beside `content-length`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    fn head(&self, keep_alive: bool, length: usize) -> String {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !keep_alive {
            head.push_str("connection: close\r\n");
        }
        head.push_str(&format!("content-length: {length}\r\n\r\n"));
        head
    }
}

/// One side of a connection with what has been read of it beyond the last request.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    buffer: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Takes a connection from which nothing has been read.
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: BytesMut::new() }
    }

    /// The connection itself.
    pub fn into_stream(self) -> S {
        self.stream
    }

    /// Reads up to the end of the headers; `None` when the peer has closed the connection between two requests.
    pub async fn read_head(&mut self) -> io::Result<Option<Head>> {
        loop {
            if let Some((head, length)) = parse_head(&self.buffer)? {
                self.buffer.advance(length);
                return Ok(Some(head));
            }
            if self.fill().await? == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    /// Reads the body that `head` announces.
    pub async fn read_body(&mut self, head: &Head) -> io::Result<Bytes> {
        if head.is_chunked() {
            return self.read_chunks().await;
        }
        self.read_exact(head.content_length()).await
    }

    /// Writes an answer; with `keep_alive` false it tells the peer that the connection ends.
    pub async fn write(&mut self, answer: &Answer, keep_alive: bool) -> io::Result<()> {
        let mut bytes = answer.head(keep_alive, answer.body.len()).into_bytes();
        bytes.extend_from_slice(&answer.body);
        self.stream.write_all(&bytes).await?;
        self.stream.flush().await
    }

    /// Writes status, headers and what there is of the body, and promises one byte more than comes.
    pub async fn write_part(&mut self, answer: &Answer) -> io::Result<()> {
        let mut bytes = answer.head(true, answer.body.len() + 1).into_bytes();
        bytes.extend_from_slice(&answer.body);
        self.stream.write_all(&bytes).await?;
        self.stream.flush().await
    }

    /// Waits until the peer closes the connection, ignoring what it sends.
    pub async fn wait_for_end(&mut self) {
        while matches!(self.fill().await, Ok(read) if read > 0) {
            self.buffer.clear();
        }
    }

    async fn read_chunks(&mut self) -> io::Result<Bytes> {
        let mut body = BytesMut::new();
        loop {
            let line = self.read_line().await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| invalid("the size of a chunk is not a number"))?;
            body.extend_from_slice(&self.read_exact(size).await?);
            // After the last chunk this is the end of the (empty) trailer.
            self.read_line().await?;
            if size == 0 {
                return Ok(body.freeze());
            }
        }
    }

    async fn read_line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.buffer.split_to(end);
                self.buffer.advance(2);
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            self.fill_more().await?;
        }
    }

    async fn read_exact(&mut self, length: usize) -> io::Result<Bytes> {
        self.buffer.reserve(length.saturating_sub(self.buffer.len()));
        while self.buffer.len() < length {
            self.fill_more().await?;
        }
        Ok(self.buffer.split_to(length).freeze())
    }

    async fn fill_more(&mut self) -> io::Result<()> {
        match self.fill().await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    async fn fill(&mut self) -> io::Result<usize> {
        self.buffer.reserve(READ_AT_ONCE);
        self.stream.read_buf(&mut self.buffer).await
    }
}

fn parse_head(bytes: &[u8]) -> io::Result<Option<(Head, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes).map_err(|error| invalid(error.to_string()))? {
        httparse::Status::Partial => Ok(None),
        httparse::Status::Complete(length) => Ok(Some((head_of(&request), length))),
    }
}

fn head_of(request: &httparse::Request<'_, '_>) -> Head {
    let headers = request.headers.iter();
    Head {
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        headers: headers
            .map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()))
            .collect(),
    }
}

fn invalid(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Scripted")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_all(bytes: &[u8]) -> Vec<(Head, Bytes)> {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let bytes = bytes.to_vec();
        tokio::spawn(async move { theirs.write_all(&bytes).await });
        let mut connection = Connection::new(ours);
        let mut requests = Vec::new();
        while let Some(head) = connection.read_head().await.unwrap() {
            let body = connection.read_body(&head).await.unwrap();
            requests.push((head, body));
        }
        requests
    }

    fn head(target: &str, headers: &[(&str, &str)]) -> Head {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Head { method: "POST".to_owned(), target: target.to_owned(), headers: headers.collect() }
    }

    #[tokio::test]
    async fn two_requests_on_one_connection_keep_the_case_of_their_headers() {
        let bytes = b"POST /a HTTP/1.1\r\nCe-Id: 1\r\nContent-Length: 2\r\n\r\nhiPOST /b HTTP/1.1\r\n\r\n";
        let first = (head("/a", &[("Ce-Id", "1"), ("Content-Length", "2")]), Bytes::from_static(b"hi"));
        assert_eq!(read_all(bytes).await, [first, (head("/b", &[]), Bytes::new())]);
    }

    #[tokio::test]
    async fn a_chunked_body_is_put_together() {
        let bytes = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        let expected = (head("/", &[("Transfer-Encoding", "chunked")]), Bytes::from_static(b"abcde"));
        assert_eq!(read_all(bytes).await, [expected]);
    }
}
