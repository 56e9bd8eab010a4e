//! What a person does in the browser: opens the page, presses Authorize, and sees where that ends.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::Client;
use url::Url;

/// Authorizes; the heading of the last page.
pub(crate) fn authorize(address: &str) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
        let consent = client.get(address).send().await?.error_for_status()?;
        let base = consent.url().clone();
        let page = consent.text().await?;
        let action = between(&page, "action=\"", "\"").context("no form on the consent page")?;
        let request = between(&page, "name=\"request\" value=\"", "\"").context("no request in the form")?;
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("request", request)
            .append_pair("choice", "authorize")
            .finish();
        let post = client.post(Url::join(&base, action)?).body(form);
        let last = post.header("Content-Type", "application/x-www-form-urlencoded").send().await?;
        let page = last.error_for_status()?.text().await?;
        Ok(between(&page, "<h1>", "</h1>").context("no heading on the last page")?.to_owned())
    })
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let from = text.find(start)? + start.len();
    text[from..].split(end).next()
}
