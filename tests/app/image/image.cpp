#include "app/image/image.h"

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/cli/image_files.h"
#include "app/image/btrfs_check.h"
#include "app/image/listing.h"
#include "model/inode.h"
#include "model/vfs.h"
#include "tests/app/image/support.h"

namespace image_image_test {

using namespace app::image;
using app::cli::save_images;

namespace {

/// A folder of its own, gone with its owner.
class Folder {
  public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "interleaf-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) std::abort();
        path_ = name;
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

std::string content_of(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

const auto files_and_snapshot = test::scenario_of(
    R"({"devices": [{"name": "a", "size": "64M"}, {"name": "c", "size": "64M", "spare": true}],
        "data": "single", "metadata": "dup", "items_per_node": 4})",
    R"("touch f1", "pwrite -S 0x61 0 8K f1", "touch f2", "falloc 0 16K f2", "sync")",
    R"("one": {"cpu": 1, "run": ["pwrite -S 0x62 0 4K f1", "btrfs subvolume snapshot . snap",
        "rm f2", "pwrite -S 0x63 4K 4K f1", "sync"]})");

Image end_image() {
    Image image;
    test::run_default(files_and_snapshot, {}, [&](const model::FsInfo& fs) {
        image = take_image(fs, model::visible_medium(fs));
    });
    return image;
}

}  // namespace

TEST_CASE("An image is the same bytes each time, sparse, and of the devices in use",
          "[app][image]") {
    const Folder folder;
    const Image image = end_image();
    REQUIRE(image.devices.size() == 1);
    CHECK(image.devices[0].name == "a");
    CHECK(save_images(image, folder / "first") == "");
    CHECK(save_images(end_image(), folder / "second") == "");
    const std::string bytes = content_of(folder / "first/a.img");
    CHECK(bytes.size() == 64 << 20);
    CHECK(bytes == content_of(folder / "second/a.img"));
    struct stat status {};
    REQUIRE(stat((folder / "first/a.img").c_str(), &status) == 0);
    CHECK(status.st_blocks * 512 < 2 << 20);
}

TEST_CASE("An image is written whole or not at all", "[app][image]") {
    const Folder folder;
    std::ofstream(folder / "file") << "in the way";
    CHECK(save_images(end_image(), folder / "file/below") != "");
    std::filesystem::create_directories(folder / "images/a.img.d");
    Image image = end_image();
    image.devices.push_back(image.devices[0]);
    image.devices[1].name = "no such folder/b";
    CHECK(save_images(image, folder / "images") != "");
    CHECK_FALSE(std::filesystem::exists(folder / "images/a.img"));
    for (const auto& entry : std::filesystem::directory_iterator(folder / "images"))
        CHECK(entry.path().extension() == ".d");  // and nothing temporary is left
}

TEST_CASE("Only the tool's progress is no complaint", "[app][image]") {
    for (const char* line :
         {"[1/7] checking root items", "Opening filesystem to check...", "",
          "Checking filesystem on /proc/self/fd/10", "UUID: 5f5a4e5c", "total csum bytes: 4",
          "found 45056 bytes used, no error found", "btree space waste bytes: 26281",
          "file data blocks allocated: 4096", " referenced 4096"})
        CHECK(is_progress_line(line));
    for (const char* line :
         {"found 45056 bytes used, error(s) found", "[x] odd", "ERROR: transid errors",
          "warning, device 2 is missing", "bad full backref, on [4096]", "[1/7",
          "found  bytes used, no error found", "mirror 1 bytenr 4096 csum 1 expected csum 2"})
        CHECK_FALSE(is_progress_line(line));
}

TEST_CASE("btrfs check accepts a good image and tells what is wrong with a bad one",
          "[app][image]") {
    if (!can_check()) {
        WARN("skipped: btrfs-progs is not installed");
        return;
    }
    Image image = end_image();
    CHECK(complaints(check_image(image)) == "");
    auto& run = image.devices[0].runs.back();
    run.bytes[run.bytes.size() - 1] ^= 1;  // of a file
    const auto verdicts = check_image(image);
    REQUIRE(verdicts.size() == 2);
    for (const ToolVerdict& verdict : verdicts) {
        CHECK_FALSE(verdict.clean);
        CHECK(verdict.messages.at(0).find("mirror 1 bytenr ") != std::string::npos);
    }
    CHECK(complaints(verdicts).find("lowmem mode") != std::string::npos);
}

TEST_CASE("An image of several devices is checked beginning with each", "[app][image]") {
    if (!can_check()) return;
    const auto mirrored = test::scenario_of(
        R"({"devices": [{"name": "a", "size": "64M"}, {"name": "b", "size": "64M"}],
            "data": "raid1", "metadata": "raid1"})",
        R"("touch f1", "pwrite -S 0x61 0 8K f1", "sync")", R"("one": {"cpu": 1, "run": ["sync"]})");
    Image image;
    test::run_default(mirrored, {}, [&](const model::FsInfo& fs) {
        image = take_image(fs, model::visible_medium(fs));
    });
    const auto verdicts = check_image(image);
    CHECK(verdicts.size() == 4);
    CHECK(complaints(verdicts) == "");
    auto& run = image.devices[1].runs.back();
    run.bytes[0] ^= 1;
    CHECK(complaints(check_image(image)).find("mirror 2 bytenr") != std::string::npos);
}

TEST_CASE("dump-tree lists the trees that the model has", "[app][image]") {
    if (!can_check()) return;
    Listing model, tool;
    test::run_default(files_and_snapshot, {}, [&](const model::FsInfo& fs) {
        model = listing_of(fs);
        tool = dump_tree(take_image(fs, model::visible_medium(fs)));
    });
    CHECK(model.roots.contains({256, 0}));
    CHECK(model.blocks.size() > 12);
    CHECK(difference(model, tool) == "");
    SECTION("a key that differs is noticed") {
        tool.blocks.begin()->second.keys.at(0).offset ^= 1;
        CHECK(difference(model, tool) != "");
    }
    SECTION("so is a generation") {
        ++tool.blocks.rbegin()->second.generation;
        CHECK(difference(model, tool) != "");
    }
    SECTION("and a tree that is not there") {
        tool.roots.erase({256, 0});
        CHECK(difference(model, tool) != "");
    }
}

TEST_CASE("btrfs check counts a removed file as an error that two trees share, and only then",
          "[app][image]") {
    // docs/fidelity.md says why the tool is wrong. What the trees say is the same both times.
    if (!can_check()) return;
    const auto many_files = test::scenario_of(
        R"({"devices": [{"name": "a", "size": "64M"}], "data": "single", "metadata": "single",
            "items_per_node": 10})",
        R"("touch f1", "touch f2", "touch f3", "touch f4", "touch f5", "sync")",
        R"("one": {"cpu": 1, "run": ["sync"]})");
    constexpr model::u64 f3 = 259;
    std::vector<ToolVerdict> shared, apart;
    app::scenario::ProgramOptions options;
    options.prepared = [&](model::FsInfo& fs) {
        model::Inode& open = **model::iget(fs, *fs.fs_root, f3);
        CHECK(model::vfs::unlink(fs, "f3").ok());
        CHECK(model::vfs::snapshot(fs, ".", "snap", false).ok());
        shared = check_image(take_image(fs, model::visible_medium(fs)));
        CHECK(model::vfs::set_nocow(fs, "f4", true).ok());  // next to it in the leaf
        CHECK(model::vfs::sync(fs).ok());
        apart = check_image(take_image(fs, model::visible_medium(fs)));
        CHECK(open.nlink == 0);
        model::iput(open);
    };
    test::run_default(many_files, options);
    CHECK(complaints(apart) == "");
    REQUIRE(shared.size() == 2);
    CHECK_FALSE(shared[0].clean);
    REQUIRE_FALSE(shared[0].messages.empty());
    CHECK(shared[0].messages[0] == "ERROR: errors found in fs roots");
    CHECK(shared[1].mode == CheckMode::Lowmem);
    CHECK(shared[1].clean);
}

}  // namespace image_image_test
