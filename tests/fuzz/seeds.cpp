// Writes a few good files for each fuzz target to start from: FOLDER/TARGET/N. Made by the writers of the formats, so
// that no binary has to be kept.
#include <stb/stb_image_write.h>
#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "data/file.h"
#include "distill/embedded_file.h"
#include "distill/options.h"
#include "distill/reproduce/recipe.h"
#include "engine/safetensors.h"

namespace {

using namespace retort;

class Corpus {
 public:
  Corpus(const std::filesystem::path& folder, const char* target) : folder_(folder / target) {
    std::filesystem::create_directories(folder_);
  }
  void add(const Bytes& bytes) {
    const std::filesystem::path path = folder_ / std::to_string(written_++);
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) throw std::runtime_error("cannot write " + path.string());
  }
  void add(const std::string& text) { add(Bytes(text.begin(), text.end())); }

 private:
  std::filesystem::path folder_;
  int written_ = 0;
};

Bytes ramp(std::size_t count) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  return bytes;
}

void idx(Corpus corpus) {
  const auto array = [](const Bytes& extents) {
    Bytes bytes{0, 0, 8, static_cast<std::uint8_t>(extents.size())};
    std::size_t count = 1;
    for (const std::uint8_t extent : extents) {
      bytes.insert(bytes.end(), {0, 0, 0, extent});
      count *= extent;
    }
    const Bytes values = ramp(count);
    bytes.insert(bytes.end(), values.begin(), values.end());
    return bytes;
  };
  corpus.add(array({5}));
  corpus.add(array({2, 3, 4}));
  corpus.add(array({1, 2, 2, 3}));
  corpus.add(array({0}));
}

void cifar(Corpus corpus) {
  for (const std::size_t label_bytes : {1U, 2U}) {
    Bytes record = ramp(label_bytes + 3072);
    record[label_bytes - 1] = 3;
    corpus.add(record);
  }
}

/// A ZIP archive with one small array, as numpy.savez writes it.
void npz(Corpus corpus) {
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n", name = "a.npy";
  const auto number = [](Bytes& to, std::uint64_t value, int count) {
    for (; count > 0; --count, value >>= 8) to.push_back(static_cast<std::uint8_t>(value));
  };
  Bytes npy{0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, static_cast<std::uint8_t>(header.size()), 0};
  npy.insert(npy.end(), header.begin(), header.end());
  const Bytes values = ramp(8);
  npy.insert(npy.end(), values.begin(), values.end());
  Bytes zip;
  const auto entry = [&] {
    number(zip, 20, 2), number(zip, 0, 8), number(zip, crc32_of(npy.data(), npy.size()), 4);
    number(zip, npy.size(), 4), number(zip, npy.size(), 4), number(zip, name.size(), 2), number(zip, 0, 2);
  };
  number(zip, 0x04034b50, 4), entry();
  zip.insert(zip.end(), name.begin(), name.end());
  zip.insert(zip.end(), npy.begin(), npy.end());
  const std::size_t directory = zip.size();
  number(zip, 0x02014b50, 4), number(zip, 20, 2), entry(), number(zip, 0, 14);
  zip.insert(zip.end(), name.begin(), name.end());
  const std::size_t end = zip.size();
  number(zip, 0x06054b50, 4), number(zip, 0, 4), number(zip, 1, 2), number(zip, 1, 2), number(zip, end - directory, 4);
  number(zip, directory, 4), number(zip, 0, 2);
  corpus.add(zip);
}

void append(void* to, void* data, int size) {
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  static_cast<Bytes*>(to)->insert(static_cast<Bytes*>(to)->end(), bytes, bytes + size);
}

void picture(Corpus corpus) {
  constexpr int width = 11, height = 9;
  for (const int channels : {1, 2, 3, 4}) {
    const Bytes pixels = ramp(static_cast<std::size_t>(width * height * channels));
    Bytes png, jpeg;
    stbi_write_png_to_func(append, &png, width, height, channels, pixels.data(), width * channels);
    stbi_write_jpg_to_func(append, &jpeg, width, height, channels, pixels.data(), 80);
    corpus.add(png);
    corpus.add(jpeg);
    // What the writers do not write; damaged, but well on the way to the code that reads it.
    constexpr std::size_t depth = 24, interlacing = 28;
    Bytes deep = png, interlaced = png;
    deep[depth] = 16;
    interlaced[interlacing] = 1;
    corpus.add(deep);
    corpus.add(interlaced);
    for (std::size_t i = 0; i + 1 < jpeg.size(); ++i) {
      if (jpeg[i] == 0xff && jpeg[i + 1] == 0xc0) jpeg[i + 1] = 0xc2;  // progressive
    }
    corpus.add(jpeg);
  }
}

Bytes gzipped(const Bytes& bytes, int level) {
  z_stream stream{};
  Bytes out(bytes.size() + 1024);
  if (deflateInit2(&stream, level, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) std::abort();
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

void gunzip(Corpus corpus) {
  corpus.add(gzipped({}, 9));
  corpus.add(gzipped(ramp(300), 0));
  corpus.add(gzipped(ramp(300), 9));
  corpus.add(gzipped(Bytes(1 << 20), 9));
}

void safetensors(Corpus corpus) {
  TensorFile file;
  corpus.add(serialize_safetensors(file));
  file.tensors["layer1.0.conv1.weight"] = FileTensor::of(std::vector<float>(12, 0.5F), {2, 3, 2, 1});
  file.tensors["steps"] = FileTensor::of(std::vector<std::int64_t>{7}, {});
  corpus.add(serialize_safetensors(file));
  file.tensors["half"] = {FileDType::f16, {2}, {0, 60, 1, 0}};
  file.tensors["narrow"] = {FileDType::bf16, {1, 2}, {0, 63, 128, 255}};
  file.tensors["empty"] = FileTensor::of(std::vector<std::uint8_t>{}, {0, 3});
  file.metadata = {{"format", "pt"}, {"significance_epochs", "30"}, {"mean", "0.5,0,1e-3"}, {"std", "1,2,0.25"}};
  corpus.add(serialize_safetensors(file));
}

void significance(Corpus corpus) {
  corpus.add(std::string("# epochs=30\nindex,label,count\n0,1,30\n1,9,0\n49999,5,7\n"));
  corpus.add(std::string("index,label,count\r\n5,1,2\r\n\r\n"));
}

void predictions(Corpus corpus) { corpus.add(std::string("index,label,prediction\n0,1,1\n9999,0,7\n")); }

void options(Corpus corpus) {
  RunOptions o;
  corpus.add(to_toml(o));
  o.milestones = {150, 180.5, 210};
  o.schedule = "multi-step";
  o.out = "a \"quoted\" name\\";
  corpus.add(to_toml(o));
  corpus.add(std::string("epochs = 1e3\nbatch = 64 # words\nmilestones = [\n  inf, nan,\n]\nnet = '''\nresnet20'''\n"));
}

void recipe(Corpus corpus) {
  for (const auto& [name, file] : recipe_files()) corpus.add(std::string(file.text));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  npz({folder, "npz"});
  idx({folder, "idx"});
  cifar({folder, "cifar"});
  picture({folder, "picture"});
  gunzip({folder, "gunzip"});
  safetensors({folder, "safetensors"});
  significance({folder, "significance"});
  predictions({folder, "predictions"});
  options({folder, "options"});
  recipe({folder, "recipe"});
  return 0;
}
