#include "data/mpiigaze.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "data/npz.h"
#include "data/select.h"
#include "kernels/error.h"

namespace retort {
namespace {

constexpr int kLargestSide = 256, kLastPerson = 14;
// Bytes of the file, and of its arrays together: ten times the evaluation subset.
constexpr std::size_t kLargest = std::size_t{1} << 30;
const std::vector<std::string> kArrays = {"image", "pose", "gaze", "person"};

struct Specification {
  std::string path;
  int person = 0;
};

Specification parsed(const std::string& text_) {
  const std::string key = ",person=";
  const std::size_t at = text_.rfind(key);
  if (at == std::string::npos) return {text_, 0};
  Specification s{text_.substr(0, at), 0};
  const char *begin = text_.data() + at + key.size(), *end = text_.data() + text_.size();
  const auto [stop, error] = std::from_chars(begin, end, s.person);
  RETORT_CHECK(error == std::errc() && stop == end && s.person >= 0 && s.person <= kLastPerson, "mpiigaze: '",
               printable(text_.substr(at + 1)), "' is no person's number, which is 0 to ", kLastPerson);
  return s;
}

class File {
 public:
  explicit File(const std::string& path) : path_(path), arrays_(read_npz(path, kArrays, kLargest)) {}

  /// Gives away the array, which has the extents `behind` its first one, and `rows` as that; a negative one is any.
  NpyArray take(const std::string& name, const std::vector<std::int64_t>& behind, std::int64_t rows) {
    const auto found = arrays_.find(name);
    RETORT_CHECK_AS(ErrorKind::input, found != arrays_.end(), path_, ": has no array '", name,
                    "'; those of MPIIGaze are image, pose, gaze and person");
    const std::vector<std::int64_t>& shape = found->second.shape;
    const bool fits =
        shape.size() == behind.size() + 1 && (rows < 0 || shape[0] == rows) &&
        std::equal(behind.begin(), behind.end(), shape.begin() + 1,
                   [](std::int64_t wanted, std::int64_t extent) { return wanted < 0 || wanted == extent; });
    RETORT_CHECK_AS(ErrorKind::input, fits, path_, ": '", name, "' has another shape than expected");
    return std::move(found->second);
  }
  [[noreturn]] void refuse(const std::string& why) const { fail(ErrorKind::input, path_ + ": " + why); }

 private:
  const std::string& path_;
  std::map<std::string, NpyArray> arrays_;
};

std::vector<float> angles_of(File& file, const std::string& name, std::int64_t rows) {
  std::vector<float> angles = file.take(name, {2}, rows).floats();
  for (const float angle : angles) {
    if (!(std::abs(angle) <= 3.2F)) file.refuse("'" + name + "' has values that are no angles in radians");
  }
  return angles;
}

std::vector<float> persons_of(File& file, std::int64_t rows) {
  std::vector<float> persons = file.take("person", {}, rows).floats();
  for (const float person : persons) {
    if (!(person >= 0 && person <= kLastPerson && person == std::floor(person))) {
      file.refuse(text("'person' has values that are not 0 to ", kLastPerson));
    }
  }
  return persons;
}

}  // namespace

Dataset load_mpiigaze(const std::string& specification) {
  const Specification s = parsed(specification);
  File file(s.path);
  NpyArray images = file.take("image", {-1, -1}, -1);
  if (images.type != NpyArray::Type::u8) file.refuse("'image' is not of type u1");
  const std::int64_t rows = images.shape[0];
  Dataset data;
  data.name = "mpiigaze";
  data.height = static_cast<int>(std::min<std::int64_t>(images.shape[1], kLargestSide + 1));
  data.width = static_cast<int>(std::min<std::int64_t>(images.shape[2], kLargestSide + 1));
  data.channels = 1;
  data.targets_are_angles = true;
  if (data.height < 1 || data.width < 1 || data.height > kLargestSide || data.width > kLargestSide) {
    file.refuse("images of another size than eyes have");
  }
  ImageSplit all;
  all.pixels = std::move(images.bytes);
  all.targets = angles_of(file, "gaze", rows);
  all.auxiliary = angles_of(file, "pose", rows);
  all.target_width = all.auxiliary_width = 2;
  const std::vector<float> persons = persons_of(file, rows);
  std::vector<std::int32_t> others, own;
  for (std::int64_t i = 0; i < rows; ++i) {
    const bool left_out = persons[static_cast<std::size_t>(i)] == static_cast<float>(s.person);
    (left_out ? own : others).push_back(static_cast<std::int32_t>(i));
  }
  if (own.empty() || others.empty()) file.refuse(text("person ", s.person, " is not one of several in it"));
  data.train = take_rows(all, others, data.image_bytes());
  data.test = take_rows(all, own, data.image_bytes());
  data.mean = {0.5F, 0.5F, 0.5F};
  data.std = {0.25F, 0.25F, 0.25F};
  validate(data);
  data.checksum = checksum_of(data);
  return data;
}

}  // namespace retort
