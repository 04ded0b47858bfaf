use super::*;

#[test]
fn every_row_stands_at_its_variant() {
    for (position, row) in TABLE.iter().enumerate() {
        assert_eq!(row.0 as usize, position, "{}", row.1);
    }
}

#[test]
fn ids_and_dtypes_lead_back() {
    for storage in Storage::all() {
        if let Some(id) = storage.ggml_id() {
            assert_eq!(Storage::from_ggml(id), Some(storage));
        }
        if let Some(dtype) = storage.dtype() {
            assert_eq!(Storage::from_dtype(dtype), Some(storage));
        }
        assert!(storage.ggml_id().is_some() || storage.dtype().is_some());
    }
    // 4 and 5 belonged to formats that were withdrawn.
    assert_eq!(Storage::from_ggml(4), None);
    assert_eq!(Storage::from_ggml(5), None);
    assert_eq!(Storage::from_dtype("f32"), None);
}

#[test]
fn bytes_are_of_whole_blocks() {
    assert_eq!(Q4_K.bytes(512), Some(288));
    assert_eq!(Q4_K.bytes(500), None);
    assert_eq!(F64.bytes(u64::MAX), None);
    assert_eq!(Bool.bytes(0), Some(0));
}
