#pragma once
#include <string>
#include <string_view>

/// The viewer's page with executions inside.
namespace app::exporter {

/// The page as viz/ builds it, without data: one HTML file.
std::string_view empty_page();

/// The page that carries a document: a book of traces, as text. What the document says cannot
/// become part of the page, since it is packed and written in base64.
std::string page_with(std::string_view document);

/// gzip, the same bytes for the same text (and zlib).
std::string gzip(std::string_view text);
std::string base64(std::string_view bytes);

}  // namespace app::exporter
