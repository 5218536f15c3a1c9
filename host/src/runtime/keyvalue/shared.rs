//! Methods that are the same in both versions of the interface. A macro, since the generated types of
//! the versions differ.

/// Expands to the shared methods of an interface, in a scope where `store`, `atomics` and `batch` are
/// the bindings of one version.
macro_rules! shared {
    (store) => {
        pub(super) fn add_to_linker<T: 'static>(
            linker: &mut Linker<T>,
            view: fn(&mut T) -> KeyValueView<'_>,
        ) -> wasmtime::Result<()> {
            store::add_to_linker::<_, HasKeyValueView>(linker, view)?;
            atomics::add_to_linker::<_, HasKeyValueView>(linker, view)?;
            batch::add_to_linker::<_, HasKeyValueView>(linker, view)
        }

        impl store::Host for KeyValueView<'_> {
            fn open(&mut self, identifier: String) -> Result<Resource<Bucket>, Failure> {
                Ok(self.table.push(self.stores.open(&identifier)?)?)
            }

            fn convert_error(&mut self, failure: Failure) -> wasmtime::Result<store::Error> {
                Ok(match failure {
                    Failure::AccessDenied => store::Error::AccessDenied,
                    Failure::Other(reason) => store::Error::Other(reason),
                })
            }
        }
    };
    (bucket) => {
        fn get(
            &mut self,
            bucket: Resource<Bucket>,
            key: String,
        ) -> Result<Option<Vec<u8>>, Failure> {
            Ok(self.table.get(&bucket)?.get(&key))
        }

        fn set(
            &mut self,
            bucket: Resource<Bucket>,
            key: String,
            value: Vec<u8>,
        ) -> Result<(), Failure> {
            self.table.get(&bucket)?.set(key, value)
        }

        fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Result<(), Failure> {
            self.table.get(&bucket)?.delete(&key);
            Ok(())
        }

        fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> Result<bool, Failure> {
            Ok(self.table.get(&bucket)?.exists(&key))
        }

        fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
            self.table.delete(bucket)?;
            Ok(())
        }
    };
    (batch) => {
        fn set_many(
            &mut self,
            bucket: Resource<Bucket>,
            entries: Vec<(String, Vec<u8>)>,
        ) -> Result<(), Failure> {
            let bucket = self.table.get(&bucket)?;
            entries.into_iter().try_for_each(|(key, value)| bucket.set(key, value))
        }

        fn delete_many(
            &mut self,
            bucket: Resource<Bucket>,
            keys: Vec<String>,
        ) -> Result<(), Failure> {
            let bucket = self.table.get(&bucket)?;
            keys.iter().for_each(|key| bucket.delete(key));
            Ok(())
        }
    };
}
