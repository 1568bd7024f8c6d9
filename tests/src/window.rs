//! The app's real window, driven through tauri-driver and WebKitWebDriver.
//!
//! `fantoccini` is the WebDriver client: plain asynchronous calls, without waiting or naming of elements. Both are
//! here: controls are found by role and name, as a screen reader announces them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::child::Child;
use crate::display::Display;
use crate::session::Session;
use crate::{net, program, soon_async, target};

/// How long a control may take to appear.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long the driver may take over one thing: it has been seen to hang forever.
const ONE_CALL: Duration = Duration::from_secs(30);
/// The control key, held and let go.
const SELECT_ALL: &str = "\u{e009}a\u{e009}";

/// Keys without a letter, as WebDriver wants them (its section 17.4.2).
pub mod keys {
    /// Down in a list.
    pub const ARROW_DOWN: &str = "\u{e015}";
    /// A page further down in a list.
    pub const PAGE_DOWN: &str = "\u{e00f}";
    /// The character to the right of the cursor goes.
    pub const DELETE: &str = "\u{e017}";
    /// A line's end.
    pub const ENTER: &str = "\u{e007}";
    /// Away from here.
    pub const ESCAPE: &str = "\u{e00c}";
    /// Control and A: everything in a list.
    pub const ALL: &str = "\u{e009}a\u{e009}";
    /// Control and +: everything a step larger.
    pub const LARGER: &str = "\u{e009}+\u{e009}";
    /// Control and K: the palette.
    pub const PALETTE: &str = "\u{e009}k\u{e009}";
    /// To the next control.
    pub const TAB: &str = "\u{e004}";
}

use keys::{DELETE, ENTER};

/// Where and as whom the app runs.
#[derive(Debug, Clone, Copy)]
pub struct WindowSettings<'a> {
    /// The bus and the keyring.
    pub session: &'a Session,
    /// The display.
    pub display: &'a Display,
    /// The data directory. The same again is the same installation again.
    pub data: &'a Path,
}

/// The app, running.
#[derive(Debug)]
pub struct Window {
    client: Client,
    driver: Child,
    _log: tempfile::NamedTempFile,
}

impl Window {
    /// Starts the app and waits for its page.
    ///
    /// # Errors
    /// When the app or a driver is missing, or no page comes.
    pub async fn open(settings: WindowSettings<'_>) -> Result<Self> {
        let application = program("wilco-desktop")?;
        let log = tempfile::NamedTempFile::new()?;
        let (port, native_port) = (net::free_port()?, net::free_port()?);
        let mut command = Child::command(tauri_driver()?);
        command
            .args(["--port", &port.to_string(), "--native-port", &native_port.to_string()])
            .envs(settings.session.variables())
            .env("DISPLAY", settings.display.name())
            .env_remove("WAYLAND_DISPLAY")
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            // There is no GPU: WebKit paints at full rate on the processor. Its older way without shared buffers never
            // finishes a picture of the page for the driver (seen with WebKitGTK 2.50), so it stays off.
            .env("WEBKIT_SKIA_ENABLE_CPU_RENDERING", "1")
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "0")
            .env_remove("WEBKIT_DISABLE_COMPOSITING_MODE")
            .env("WILCO_DATA_DIR", settings.data)
            .env("WILCO_LOG", "warn,wilco_desktop=info")
            .stdout(Stdio::null());
        let driver = Child::start(&mut command, log.path())?;
        net::wait_for_port(port, "tauri-driver").with_context(|| driver.log())?;
        net::wait_for_port(native_port, "WebKitWebDriver").with_context(|| driver.log())?;

        let capabilities = json!({ "browserName": "wry", "tauri:options": { "application": application } });
        let Value::Object(capabilities) = capabilities else { unreachable!("an object, as written above") };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities);
        let address = format!("http://127.0.0.1:{port}");
        let client =
            limited("opening the app's window", builder.connect(&address)).await.with_context(|| driver.log())?;
        let window = Self { client, driver, _log: log };
        soon_async("page in the window", Duration::from_secs(30), async || {
            let text = window.text().await.unwrap_or_default();
            Ok((!text.trim().is_empty()).then_some(()))
        })
        .await
        .with_context(|| window.log())?;
        Ok(window)
    }

    /// Closes the app.
    ///
    /// # Errors
    /// When the driver is gone.
    pub async fn close(mut self) -> Result<()> {
        limited("closing the window", self.client.clone().close()).await?;
        self.driver.kill();
        Ok(())
    }

    /// The process that has started the app, its drivers and all that they have started.
    pub fn process(&self) -> u32 {
        self.driver.id()
    }

    /// The output of the app and the drivers.
    pub fn log(&self) -> String {
        self.driver.log()
    }

    /// The one control of that role and name, waited for.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub async fn one(&self, role: &str, name: &str) -> Result<Element> {
        self.find(role, name, false, None).await
    }

    /// The one control of that role whose name holds `part`.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub async fn one_like(&self, role: &str, part: &str) -> Result<Element> {
        self.find(role, part, true, None).await
    }

    /// The one control of that role and name inside `scope`.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub async fn one_in(&self, scope: &Element, role: &str, name: &str) -> Result<Element> {
        self.find(role, name, false, Some(scope)).await
    }

    /// The one control of that role inside `scope` whose name holds `part`.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub async fn one_like_in(&self, scope: &Element, role: &str, part: &str) -> Result<Element> {
        self.find(role, part, true, Some(scope)).await
    }

    /// All controls of that role whose name holds `part`, as they are now.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn all_like(&self, role: &str, part: &str) -> Result<Vec<Element>> {
        self.look(role, part, true, None).await
    }

    /// Clicks the one control of that role and name, as soon as it can be hit: a dialog may be on its way out over it.
    ///
    /// # Errors
    /// When there is none, more than one, or something stays over it.
    pub async fn click(&self, role: &str, name: &str) -> Result<()> {
        let what = format!("{role} “{name}”");
        when_ready(&what, async || self.one(role, name).await?.click().await.map_err(Into::into)).await
    }

    /// Clicks a control that was found before, as soon as it can be hit.
    ///
    /// # Errors
    /// When it is gone, or something stays over it.
    pub async fn click_on(&self, control: &Element, name: &str) -> Result<()> {
        when_ready(name, async || control.click().await.map_err(Into::into)).await
    }

    /// Puts `text` into the text box of that name, in the place of what was there.
    ///
    /// # Errors
    /// When there is no such text box.
    pub async fn fill(&self, name: &str, text: &str) -> Result<()> {
        self.type_into(name, &format!("{SELECT_ALL}{DELETE}{text}")).await
    }

    /// Types into the text box of that name; a line end is the Enter key.
    ///
    /// # Errors
    /// When there is no such text box.
    pub async fn type_into(&self, name: &str, text: &str) -> Result<()> {
        let keys = text.replace('\n', ENTER);
        let what = format!("the text box “{name}”");
        when_ready(&what, async || self.one("textbox", name).await?.send_keys(&keys).await.map_err(Into::into)).await
    }

    /// Waits until the window shows `text`.
    ///
    /// # Errors
    /// When it does not within `within`.
    pub async fn wait_for_text(&self, text: &str, within: Duration) -> Result<()> {
        let what = format!("“{text}” in the window");
        match soon_async(&what, within, async || Ok(self.text().await?.contains(text).then_some(()))).await {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(format!("the window shows:\n{}", self.text().await?))),
        }
    }

    /// All text that the window shows, as it is written in the page.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn text(&self) -> Result<String> {
        let text = self.run("return document.body?.innerText ?? ''", vec![]).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// The value of an attribute of `element`.
    ///
    /// # Errors
    /// When it is no longer in the page.
    pub async fn attribute(&self, element: &Element, name: &str) -> Result<String> {
        Ok(element.attr(name).await?.unwrap_or_default())
    }

    /// The text of `element`, as it is shown.
    ///
    /// # Errors
    /// When it is no longer in the page.
    pub async fn text_of(&self, element: &Element) -> Result<String> {
        let text = self.run("return arguments[0].innerText", vec![serde_json::to_value(element)?]).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// The text in the text box of that name.
    ///
    /// # Errors
    /// When there is no such text box.
    pub async fn written(&self, name: &str) -> Result<String> {
        let field = serde_json::to_value(self.one("textbox", name).await?)?;
        let value = self.run("return arguments[0].value", vec![field]).await?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    /// Runs a script in the page.
    ///
    /// # Errors
    /// When it throws.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        limited("asking the page", self.client.execute(script, arguments)).await
    }

    /// Runs a script in the page that calls its last argument when it is done.
    ///
    /// # Errors
    /// When it throws, or does not end.
    pub async fn run_async(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        limited("waiting for the page", self.client.execute_async(script, arguments)).await
    }

    /// Presses keys wherever the keyboard is; see [`keys`] for those without a letter.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn press(&self, keys: &str) -> Result<()> {
        let active = limited("asking where the keyboard is", self.client.active_element()).await?;
        limited(&format!("pressing {keys:?}"), active.send_keys(keys)).await
    }

    /// Makes the page so large, in pixels of the page.
    ///
    /// # Errors
    /// When the window will not.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        limited("resizing the window", self.client.set_window_rect(0, 0, width, height)).await?;
        soon_async(&format!("window of {width} by {height}"), PATIENCE, async || {
            let size = self.run("return [innerWidth, innerHeight]", vec![]).await?;
            Ok((size == json!([width, height])).then_some(()))
        })
        .await
    }

    /// Saves a picture of the page as `target/screenshots/{name}.png`.
    ///
    /// # Errors
    /// When it cannot be taken or written.
    pub async fn screenshot(&self, name: &str) -> Result<PathBuf> {
        let path = target()?.join("screenshots").join(format!("{name}.png"));
        self.screenshot_to(&path).await?;
        Ok(path)
    }

    /// Saves a picture of the page.
    ///
    /// # Errors
    /// When it cannot be taken or written.
    pub async fn screenshot_to(&self, path: &Path) -> Result<()> {
        // Text stays unpainted until its font is there.
        let painted = "const done = arguments[arguments.length - 1];
            document.fonts.ready.then(() => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100))));";
        self.run_async(painted, vec![]).await?;
        let picture = limited("taking a picture of the page", self.client.screenshot()).await?;
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        std::fs::write(path, picture).with_context(|| format!("writing {}", path.display()))
    }

    async fn find(&self, role: &str, name: &str, part: bool, scope: Option<&Element>) -> Result<Element> {
        let mut found = Vec::new();
        let what = format!("{role} “{name}”");
        let appeared = soon_async(&what, PATIENCE, async || {
            found = self.look(role, name, part, scope).await?;
            Ok((!found.is_empty()).then_some(()))
        });
        if let Err(error) = appeared.await {
            let shows = self.text().await.unwrap_or_default();
            return Err(error.context(format!("the window shows:\n{shows}\n\n{}", self.log())));
        }
        if found.len() > 1 {
            bail!("there are {} of {role} “{name}”", found.len());
        }
        Ok(found.remove(0))
    }

    async fn look(&self, role: &str, name: &str, part: bool, scope: Option<&Element>) -> Result<Vec<Element>> {
        let scope = scope.map(serde_json::to_value).transpose()?.unwrap_or(Value::Null);
        let arguments = vec![json!(role), json!(name), json!(part), scope];
        let Value::Array(found) = self.run(include_str!("find.js"), arguments).await? else { return Ok(Vec::new()) };
        found.into_iter().map(|value| Ok(Element::from_element_id(self.client.clone(), element_id(&value)?))).collect()
    }
}

/// Waits for the driver, but not forever.
async fn limited<T, E>(what: &str, call: impl Future<Output = Result<T, E>>) -> Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    match tokio::time::timeout(ONE_CALL, call).await {
        Ok(result) => result.with_context(|| format!("{what} did not work")),
        Err(_) => bail!("{what}: the driver said nothing for {ONE_CALL:?}"),
    }
}

/// Does something to a control again until it can be reached, which a person waits for without noticing.
async fn when_ready(what: &str, act: impl AsyncFn() -> Result<()>) -> Result<()> {
    let mut last = String::new();
    let way = format!("way to reach {what}");
    let reached = soon_async(&way, PATIENCE, async || {
        let tried = tokio::time::timeout(ONE_CALL, act()).await;
        match tried.with_context(|| format!("{what}: the driver said nothing for {ONE_CALL:?}"))? {
            Ok(()) => Ok(Some(())),
            Err(error) if is_on_its_way(&error) => {
                last = format!("{error:#}");
                Ok(None)
            }
            Err(error) => Err(error.context(format!("{what} could not be used"))),
        }
    });
    reached.await.with_context(|| format!("what came back last: {last}"))
}

/// Whether the driver did nothing because the page has not come to rest (WebDriver, section 6.6).
fn is_on_its_way(error: &anyhow::Error) -> bool {
    use fantoccini::error::ErrorStatus::{ElementClickIntercepted, ElementNotInteractable, StaleElementReference};
    let Some(CmdError::Standard(answer)) = error.downcast_ref() else { return false };
    matches!(answer.error, ElementClickIntercepted | ElementNotInteractable | StaleElementReference)
}

fn element_id(value: &Value) -> Result<fantoccini::elements::ElementRef> {
    let id = value.as_object().and_then(|object| object.values().next()).and_then(Value::as_str);
    Ok(id.context("the page returned something that is no element")?.to_owned().into())
}

/// The driver that `cargo xtask` has installed, or the one on the path.
fn tauri_driver() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("TAURI_DRIVER") {
        return Ok(path.into());
    }
    let installed = target()?.join("tools/bin/tauri-driver");
    Ok(if installed.is_file() { installed } else { "tauri-driver".into() })
}
