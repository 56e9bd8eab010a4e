//! The recorded shapes: files of blocks, each with a head line of fields and a body.

/// One block.
#[derive(Debug, Clone)]
pub struct Block {
    pub name: String,
    /// What stands behind the name, between bars.
    pub fields: Vec<String>,
    pub body: String,
}

impl Block {
    pub fn field(&self, index: usize) -> &str {
        self.fields.get(index).map_or("", String::as_str)
    }
}

/// Reads a file of `=== name | field | …` heads; what stands before the first one is explanation.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("=== ") {
            let mut fields = head.split(" | ").map(|field| field.trim().to_owned());
            let name = fields.next().unwrap_or_default();
            blocks.push(Block { name, fields: fields.collect(), body: String::new() });
        } else if let Some(block) = blocks.last_mut() {
            if !block.body.is_empty() {
                block.body.push('\n');
            }
            block.body.push_str(line);
        }
    }
    assert!(blocks.iter().all(|block| !block.name.is_empty()), "a block without a name");
    blocks
}
