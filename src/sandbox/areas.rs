//! The MCP endpoints: one for everything, and one for each area. They share the sign-in.

/// One MCP endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Area {
    Messages,
    Core,
    Apps,
    Knowledge,
}

impl Area {
    pub(super) const ALL: [Area; 4] = [Area::Messages, Area::Core, Area::Apps, Area::Knowledge];

    pub(super) const fn path(self) -> &'static str {
        match self {
            Area::Messages => "/mcp/messages",
            Area::Core => "/mcp/core",
            Area::Apps => "/mcp/apps",
            Area::Knowledge => "/mcp/knowledge",
        }
    }

    /// The path of its RFC 9728 document.
    pub(super) const fn metadata_path(self) -> &'static str {
        match self {
            Area::Messages => "/.well-known/oauth-protected-resource/mcp/messages",
            Area::Core => "/.well-known/oauth-protected-resource/mcp/core",
            Area::Apps => "/.well-known/oauth-protected-resource/mcp/apps",
            Area::Knowledge => "/.well-known/oauth-protected-resource/mcp/knowledge",
        }
    }

    /// Whether a tool is offered here.
    pub(super) fn offers(self, tool: &str) -> bool {
        match self {
            Area::Messages => true,
            Area::Core => matches!(tool, "list_apps" | "search_documentation"),
            Area::Apps => tool != "search_documentation",
            Area::Knowledge => tool == "search_documentation",
        }
    }
}
